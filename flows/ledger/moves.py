"""Moves: the statements by which a take goes from one state to the next. Made once: to build one
takes as long as to execute it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import bindparam, false, insert, or_, select, update

from flows.ledger import tables
from flows.ledger.rows import TAKE_COLUMNS, or_ignored
from flows.nouns.take import FOLLOWS, TakeState

_T = tables.takes
_P = tables.purchases

BEFORE = {
    state: sorted(one for one, then in FOLLOWS.items() if state in then) for state in TakeState
}
SAME = (_T.c.realm == bindparam("of_realm"), _T.c.recipe == bindparam("of_recipe"))
TAKE = select(*TAKE_COLUMNS).where(*SAME)
KNOWN = select(_T.c.state, _T.c.intended_by).where(*SAME)
# whoever intended it last, and nobody in between, is who it is taken over from
AGAIN = (
    update(_T)
    .where(
        *SAME,
        _T.c.state.in_(bindparam("before", expanding=True)),
        _T.c.intended_by == bindparam("holder"),
    )
    .returning(_T.c.recipe)
)


def _move(before: Iterable[str]) -> Any:
    # spelt out: a list in a parameter is spelt out anew at each execution
    is_before = or_(false(), *(_T.c.state == str(state) for state in before))
    return update(_T).where(*SAME, is_before).returning(*TAKE_COLUMNS, _T.c.purchase)


MOVES = {state: _move(before) for state, before in BEFORE.items()}
MOVES[TakeState.SENT] = MOVES[TakeState.SENT].where(_T.c.intended_by == bindparam("holder"))
MAYBE_BILLED = _move(one for one in BEFORE[TakeState.REFUSED] if one != TakeState.UNKNOWN)
"""To REFUSED, where nothing proves that the host billed nothing."""
BUY = (
    insert(_P)
    .from_select(
        ["realm", "recipe", "provider", "account", "run", "price_usd", "state", "at"],
        select(
            _T.c.realm,
            _T.c.recipe,
            _T.c.provider,
            _T.c.account,
            _T.c.intended_by,
            _T.c.price_usd,
            bindparam("now_state", type_=_P.c.state.type),
            bindparam("sent_at", type_=_P.c.at.type),
        ).where(*SAME),
    )
    .returning(_P.c.id)
)


@cache
def intends(dialect: str) -> Any:
    """The intent that only the first of a race writes; the row comes back to that one, since not
    every driver counts rows here.
    """
    return or_ignored(dialect, _T).returning(_T.c.recipe)
