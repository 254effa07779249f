"""Pen: what is written down, on one connection. Whoever holds it decides what commits together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, update

from flows.ledger import letters, moves, plans, tables
from flows.ledger.margin import Margin
from flows.ledger.rows import IllegalStepError, chunks, now, storable, take_from
from flows.nouns.take import Realm, Take, TakeState

_T = tables.takes

OPEN = frozenset({TakeState.SENT, TakeState.UNKNOWN})
"""Sent, and no answer is known. Of a proof, which is drawn here and costs nothing, that is the
same as not begun: a run that was killed while it drew parks nothing."""

_MONEY = ("cost_usd", "cost_from", "billed")


class Pen:
    """The writing verbs of the ledger. Nothing stands before the transaction has committed."""

    def __init__(self, connection: Connection, is_alive: Callable[[str], bool]) -> None:
        self._connection = connection
        self._is_alive = is_alive
        """Whether a run has a live dispatcher."""
        self.margin = Margin(connection)
        """Written by whoever holds the transaction, before it commits."""

    # -- takes

    def take(self, realm: Realm, recipe: str) -> Take | None:
        """The take of a recipe, with what was written in this transaction."""
        key = {"of_realm": realm, "of_recipe": recipe}
        row = self._connection.execute(moves.TAKE, key).one_or_none()
        return None if row is None else take_from(row)

    def intend(
        self, take: Take, *, run: str, price_usd: Decimal | None, rebuys: bool = False
    ) -> bool:
        """Write down that this take is about to be bought. True for the one that may go on.

        False: another live run holds it, it is under way, or it is done. A take that was refused,
        failed, lost or cancelled is intended anew, and so is an intent that was never sent, of
        this run or of one that is dead. With `rebuys` an unknown one too: it may be paid twice.
        """
        again = set(moves.BEFORE[TakeState.INTENDED]) | {TakeState.INTENDED}
        if not rebuys:
            again.discard(TakeState.UNKNOWN)
        if take.realm is Realm.PROOF:
            again |= OPEN
        values = {
            "state": TakeState.INTENDED,
            "provider": take.provider,
            "model": take.model,
            "account": take.account,
            "seed": take.seed,
            "price_usd": price_usd,
            "cost_usd": None,
            "cost_from": None,
            "reason": None,
            "billed": None,
            "host_task_id": None,
            "host_notes": None,
            "intended_by": run,
            "changed_at": now(),
            "purchase": None,
        }
        key = {"of_realm": take.realm, "of_recipe": take.recipe}
        # the row comes back to the one that wrote it; not every driver counts rows here
        won = self._connection.scalar(
            moves.intends(self._connection.dialect.name),
            {"realm": take.realm, "recipe": take.recipe, **values},
        )
        if won is None:
            known = self._connection.execute(moves.KNOWN, key).one()
            if known.state not in again or (
                known.state == TakeState.INTENDED
                and known.intended_by != run
                and self._is_alive(known.intended_by)
            ):
                return False
            won = self._connection.scalar(
                moves.AGAIN, {**key, "before": sorted(again), "holder": known.intended_by, **values}
            )
        if won is None:
            return False
        self.note(take, TakeState.INTENDED, run=run)
        return True

    def step(
        self,
        take: Take,
        state: TakeState,
        *,
        run: str,
        detail: str | None = None,
        host_notes: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> Take:
        """Move a take to its next state and keep the facts that came with it; the take as it is.

        To SENT goes only the run whose intent it is: another may have taken it over meanwhile.
        From UNKNOWN to REFUSED goes only what is proved not to be billed (`billed=False`).

        Raises:
            IllegalStepError: the take is not in a state that may be followed by this one.

        """
        facts = {
            name: storable(fact) if isinstance(fact, str) else fact for name, fact in facts.items()
        }
        if host_notes is not None:
            facts["host_notes"] = json.dumps(dict(host_notes), sort_keys=True)
        key: dict[str, Any] = {"of_realm": take.realm, "of_recipe": take.recipe}
        moved = {**key, **facts, "state": state, "changed_at": now()}
        move = moves.MOVES[state]
        if state is TakeState.REFUSED and facts.get("billed") is not False:
            move = moves.MAYBE_BILLED
        if state is TakeState.SENT:
            moved |= {"holder": run, "purchase": self._bought(take, key)}
        row = self._connection.execute(move, moved).one_or_none()
        if row is None:
            raise IllegalStepError(f"take {take.recipe[:12]} cannot become {state}")
        *values, purchase = row
        if state is not TakeState.SENT and purchase is not None:
            money = {name: facts[name] for name in _MONEY if name in facts}
            self.margin.purchase(purchase, {"state": state, **money})
        now_is = take_from(values)
        self.note(now_is, state, run=run, detail=detail or facts.get("reason"))
        return now_is

    def _bought(self, take: Take, key: Mapping[str, Any]) -> int | None:
        """The row that keeps this try's money; undone with the step where that is refused."""
        if take.realm is Realm.PROOF:
            return None
        values = {**key, "now_state": TakeState.SENT, "sent_at": now()}
        return self._connection.execute(moves.BUY, values).scalar()

    def note(self, take: Take, state: TakeState, *, run: str, detail: str | None = None) -> None:
        """Remember that this happened to a take; its row stays as it is."""
        self.margin.event(
            {
                "realm": take.realm,
                "recipe": take.recipe,
                "state": state,
                "provider": take.provider,
                "run": run,
                "at": now(),
                "detail": None if detail is None else storable(detail),
            }
        )

    def settle(self, realm: Realm, recipe: str, *, found: str | None, by: str = "person") -> Take:
        """A person decides a purchase of which no answer is known: `found` is the address of its
        picture, to be fetched by the next run; None: it is lost, and counts as spent.

        Raises:
            IllegalStepError: nothing is open there, or a live run is still at work on it.

        """
        take = self.take(realm, recipe)
        may_be_lost = found is None and take is not None and take.state is TakeState.SUCCEEDED
        if take is None or not (take.state in OPEN or may_be_lost):
            state = "not known" if take is None else take.state.value
            raise IllegalStepError(f"take {recipe[:12]} is {state}: there is nothing to settle")
        if take.state is TakeState.SENT and self._is_alive(take.intended_by):
            raise IllegalStepError(f"take {recipe[:12]} is being bought by a run that is alive")
        if found is None:
            words = "settled as lost by a person"
            return self.step(take, TakeState.LOST, run=by, reason=words, billed=None)
        return self.step(
            take,
            TakeState.SUCCEEDED,
            run=by,
            detail="settled as found by a person",
            host_notes={**take.host_notes, "result": found},
            cost_usd=take.price_usd,
            cost_from="price",
            billed=True,
            reason=None,
        )

    def forget_proofs(self, recipes: Sequence[str]) -> int:
        """Forget proofs whose bytes are gone, so that they are drawn again; returns how many."""
        gone = 0
        for chunk in chunks(recipes):
            gone += self._connection.execute(
                _T.delete().where(_T.c.realm == Realm.PROOF, _T.c.recipe.in_(chunk))
            ).rowcount
        return gone

    # -- campaigns and runs

    def plan_shots(
        self,
        campaign: str,
        realm: Realm,
        shots: Mapping[str, Sequence[str]],
        retired: Iterable[str],
    ) -> None:
        """Remember what the campaign sets out to make, and forget what it no longer wants."""
        plans.plan_shots(self._connection, campaign, realm, shots, retired)

    def turn_down(
        self, campaign: str, realm: Realm, shot_id: str, take_numbers: Iterable[int], why: str
    ) -> None:
        """A person does not want these takes of a shot; said twice, the first reason stands."""
        plans.turn_down(self._connection, campaign, realm, shot_id, take_numbers, storable(why))

    def begin_run(
        self, run: str, *, campaign: str, realm: Realm, spec_sha256: str, destination: str
    ) -> str:
        """Write down that a run begins; returns when."""
        at = now()
        self._connection.execute(
            insert(tables.runs),
            {
                "id": run,
                "campaign": campaign,
                "realm": realm,
                "spec_sha256": spec_sha256,
                "destination": destination,
                "started_at": at,
            },
        )
        return at

    def end_run(self, run: str, outcome: str) -> str:
        """Write down how a run ended; returns when."""
        at = now()
        self._connection.execute(
            update(tables.runs).where(tables.runs.c.id == run).values(ended_at=at, outcome=outcome)
        )
        return at

    def tell_run(self, run: str, told: str) -> None:
        """Write down what became of a run, in a line."""
        self._connection.execute(
            update(tables.runs).where(tables.runs.c.id == run).values(told=storable(told))
        )

    # -- hosts

    def hear(self, host: str, message_id: str, *, job: str, mark: str, document: str) -> bool:
        """Keep what a host called back with; False: this message was heard before."""
        return letters.hear(self._connection, host, message_id, job, mark, document)

    def callback_token(self) -> str:
        """The word in the address that hosts call, which nobody else knows: made once a ledger."""
        return letters.token(self._connection)

    def remember_latency(
        self, host: str, *, mode: str, tier: str, seconds: float, exact: bool
    ) -> None:
        """A generation took so long, or (not `exact`) was seen done no sooner."""
        self.margin.latency(
            {
                "host": host,
                "mode": mode,
                "tier": tier,
                "seconds": seconds,
                "exact": exact,
                "at": now(),
            }
        )
