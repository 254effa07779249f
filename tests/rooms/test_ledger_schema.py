"""A ledger's tables: made once, brought forward from any version; strangers and wrecks refused."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from flows.errors import EnvironmentFault
from flows.ledger import Ledger, open_ledger, tables
from flows.ledger.schema import opened
from flows.nouns.take import Realm, TakeState

STATES = (
    "'intended', 'sent', 'accepted', 'succeeded', 'done', 'refused', 'failed', 'unknown', "
    "'cancelled', 'lost'"
)
VERSION_1 = f"""
CREATE TABLE shotlist_about (key VARCHAR(40) NOT NULL, value TEXT NOT NULL, PRIMARY KEY (key));
CREATE TABLE takes (
  realm VARCHAR(8) NOT NULL, recipe VARCHAR(64) NOT NULL, state VARCHAR(12) NOT NULL,
  provider VARCHAR(40) NOT NULL, model VARCHAR(60) NOT NULL, account VARCHAR(80) NOT NULL,
  host_task_id TEXT, seed INTEGER, price_usd NUMERIC(12, 6), cost_usd NUMERIC(12, 6),
  cost_from VARCHAR(8), sha256 VARCHAR(64), bytes INTEGER, width INTEGER, height INTEGER,
  format VARCHAR(8), reason TEXT, billed BOOLEAN, intended_by VARCHAR(40) NOT NULL,
  changed_at VARCHAR(32) NOT NULL, PRIMARY KEY (realm, recipe),
  CONSTRAINT known_state CHECK (state in ({STATES})),
  CONSTRAINT known_realm CHECK (realm in ('live', 'proof', 'sandbox')),
  CONSTRAINT done_has_bytes CHECK (state <> 'done' or sha256 is not null));
CREATE INDEX takes_by_state ON takes (realm, state);
CREATE TABLE take_events (
  id SERIAL_KEY, realm VARCHAR(8) NOT NULL, recipe VARCHAR(64) NOT NULL,
  state VARCHAR(12) NOT NULL, provider VARCHAR(40) NOT NULL, run VARCHAR(40) NOT NULL,
  at VARCHAR(32) NOT NULL, detail TEXT);
CREATE INDEX events_by_take ON take_events (realm, recipe);
CREATE TABLE shots (
  campaign VARCHAR(120) NOT NULL, realm VARCHAR(8) NOT NULL, shot_id VARCHAR(500) NOT NULL,
  recipes TEXT NOT NULL, planned_at VARCHAR(32) NOT NULL, PRIMARY KEY (campaign, realm, shot_id));
CREATE TABLE known_contents (
  location VARCHAR(2000) NOT NULL, stamp VARCHAR(200) NOT NULL, sha256 VARCHAR(64) NOT NULL,
  bytes INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
  format VARCHAR(8) NOT NULL, PRIMARY KEY (location));
CREATE TABLE runs (
  id VARCHAR(40) NOT NULL, campaign VARCHAR(120) NOT NULL, realm VARCHAR(8) NOT NULL,
  spec_sha256 VARCHAR(64) NOT NULL, destination TEXT NOT NULL, started_at VARCHAR(32) NOT NULL,
  ended_at VARCHAR(32), outcome VARCHAR(20), PRIMARY KEY (id));
CREATE INDEX runs_by_campaign ON runs (campaign, realm);
INSERT INTO shotlist_about VALUES ('schema', '1');
"""
VERSION_2 = """
ALTER TABLE takes ADD COLUMN host_notes TEXT;
UPDATE shotlist_about SET value = '2' WHERE key = 'schema';
"""
ROWS = [
    # recipe, realm, state, price, cost, billed, was sent at
    ("a", "live", "done", "0.03", "0.03", None, "2026-01-01T00:00:01.000Z"),
    ("b", "live", "failed", "0.05", None, True, "2026-01-01T00:00:02.000Z"),
    ("c", "live", "unknown", "0.07", None, None, "2026-01-01T00:00:03.000Z"),
    ("d", "live", "refused", "0.11", None, False, "2026-01-01T00:00:04.000Z"),
    ("e", "live", "intended", "0.13", None, None, None),
    # intended anew after it was made and lost
    ("1", "live", "intended", "0.19", "0.19", None, "2026-01-01T00:00:00.000Z"),
    ("f", "proof", "done", "0", "0", None, "2026-01-01T00:00:05.000Z"),
    ("0", "sandbox", "accepted", "0.17", None, None, "2026-01-01T00:00:06.000Z"),
]


def old_ledger(url: str, version: int) -> None:
    """A ledger as that version wrote it, with takes in many states."""
    engine = create_engine(url)
    serial = (
        "INTEGER PRIMARY KEY AUTOINCREMENT"
        if engine.dialect.name == "sqlite"
        else "SERIAL PRIMARY KEY"
    )
    if engine.dialect.name == "sqlite":
        Path(engine.url.database or "").parent.mkdir(parents=True, exist_ok=True)
        serial = "INTEGER NOT NULL PRIMARY KEY"
    words = VERSION_1 + (VERSION_2 if version == 2 else "")
    with engine.begin() as connection:
        for statement in words.replace("SERIAL_KEY", serial).split(";"):
            if statement.strip():
                connection.execute(text(statement))
        for recipe, realm, state, price, cost, billed, at in ROWS:
            values: dict[str, Any] = {
                "recipe": recipe * 64,
                "realm": realm,
                "state": state,
                "price": float(price),
                "cost": None if cost is None else float(cost),
                "billed": billed,
                "sha256": "9" * 64 if state == "done" else None,
                "at": at,
            }
            connection.execute(
                text(
                    "INSERT INTO takes (realm, recipe, state, provider, model, account, price_usd,"
                    " cost_usd, cost_from, billed, sha256, intended_by, changed_at) VALUES"
                    " (:realm, :recipe, :state, 'fal', 'seedream-4', 'fal', :price, :cost, NULL,"
                    " :billed, :sha256, 'r1', '2026-01-02T00:00:00.000Z')"
                ),
                values,
            )
            if at is not None:
                connection.execute(
                    text(
                        "INSERT INTO take_events (realm, recipe, state, provider, run, at) VALUES"
                        " (:realm, :recipe, 'sent', 'fal', 'r1', :at)"
                    ),
                    values,
                )
    engine.dispose()


def shape(url: str) -> dict[str, Any]:
    """Tables, columns and indexes as the database knows them."""
    engine, _ = opened(url)
    found = inspect(engine)
    told = {
        table: (
            {
                column["name"]: (str(column["type"]), column["nullable"])
                for column in found.get_columns(table)
            },
            found.get_pk_constraint(table)["constrained_columns"],
            {index["name"]: index["column_names"] for index in found.get_indexes(table)},
            sorted(str(one["name"]) for one in found.get_check_constraints(table)),
        )
        for table in sorted(found.get_table_names())
    }
    engine.dispose()
    return told


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Each call names another database that holds nothing."""
    if request.param == "postgresql":
        server: Callable[[], str] = request.getfixturevalue("postgres")
        return server
    numbers = iter(range(100))
    return lambda: f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_ledger_ends_where_a_fresh_one_begins(
    fresh_url: Callable[[], str], version: int
) -> None:
    old, new = fresh_url(), fresh_url()
    old_ledger(old, version)
    assert shape(old) == shape(new)


@pytest.mark.parametrize("version", [1, 2])
def test_what_an_older_ledger_knows_of_money_is_kept(
    fresh_url: Callable[[], str], version: int
) -> None:
    url = fresh_url()
    old_ledger(url, version)
    with open_ledger(url) as book:
        assert book.spent(Realm.LIVE) == Decimal("0.34")  # a, b, c, 1
        assert book.spent(Realm.LIVE, since="2026-01-01T00:00:02.500Z") == Decimal("0.07")
        assert book.spent(Realm.SANDBOX) == Decimal("0.17")
        assert book.spent(Realm.PROOF) == 0
        assert book.tally() == [
            ("live", "fal", "done", 1, Decimal("0.03")),
            ("live", "fal", "failed", 1, Decimal("0.05")),
            ("live", "fal", "intended", 2, Decimal(0)),
            ("live", "fal", "lost", 0, Decimal("0.19")),
            ("live", "fal", "refused", 1, Decimal(0)),
            ("live", "fal", "unknown", 1, Decimal(0)),
            ("proof", "fal", "done", 1, Decimal(0)),
            ("sandbox", "fal", "accepted", 1, Decimal(0)),
        ]


def test_takes_of_an_older_ledger_go_on(fresh_url: Callable[[], str]) -> None:
    url = fresh_url()
    old_ledger(url, 1)
    with open_ledger(url) as book:
        assert book.settle(Realm.LIVE, "c" * 64, found=None).state is TakeState.LOST
        accepted = book.take(Realm.SANDBOX, "0" * 64)
        assert accepted is not None
        book.step(accepted, TakeState.FAILED, run="r2", billed=False)
        assert book.spent(Realm.LIVE) == Decimal("0.34")
        assert book.spent(Realm.SANDBOX) == 0
    with open_ledger(url) as book:  # a second opening changes nothing
        assert book.spent(Realm.LIVE) == Decimal("0.34")


def race_to_open(url: str, count: int) -> list[Exception]:
    start = threading.Barrier(count)
    faults: list[Exception] = []

    def go() -> None:
        start.wait()
        given = _opened(url)
        if given:
            faults.append(given)

    openers = [threading.Thread(target=go) for _ in range(count)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join()
    return faults


def _opened(url: str) -> Exception | None:
    try:
        with open_ledger(url) as book:
            book.begin_dispatch(f"o{threading.get_ident()}", run="r1", account="f1", host="fal")
    except EnvironmentFault as fault:
        return fault
    return None


@pytest.mark.parametrize("version", [0, 1, 2])
def test_many_first_openings_at_once_all_succeed(
    fresh_url: Callable[[], str], version: int
) -> None:
    url = fresh_url()
    if version:
        old_ledger(url, version)
    assert race_to_open(url, 6) == []


def _open_in_process(url: str, barrier: Any, given: Any) -> None:
    barrier.wait(30)
    given.put(str(_opened(url)))


def test_first_openings_by_two_processes_both_succeed(fresh_url: Callable[[], str]) -> None:
    url = fresh_url()
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    given = context.Queue()
    openers = [
        context.Process(target=_open_in_process, args=(url, barrier, given)) for _ in range(2)
    ]
    for opener in openers:
        opener.start()
    told = [given.get(timeout=60) for _ in openers]
    for opener in openers:
        opener.join(60)
    assert told == ["None", "None"]


def test_a_foreign_database_is_refused_with_words(fresh_url: Callable[[], str]) -> None:
    url = fresh_url()
    other = create_engine(url)
    with other.begin() as connection:
        connection.execute(text("create table invoices (id integer)"))
    other.dispose()
    with pytest.raises(EnvironmentFault, match=r"another program.*invoices"):
        open_ledger(url)


def test_a_newer_ledger_is_refused_with_words(fresh_url: Callable[[], str]) -> None:
    url = fresh_url()
    open_ledger(url).close()
    other = create_engine(url)
    with other.begin() as connection:
        connection.execute(text("update shotlist_about set value = '99' where key = 'schema'"))
    other.dispose()
    with pytest.raises(EnvironmentFault, match="schema 99"):
        open_ledger(url)


def test_a_broken_file_is_refused_with_words(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(EnvironmentFault, match=r"ledger cannot be used.*backup"):
        open_ledger(f"sqlite:///{path}")


@pytest.mark.parametrize("url", ["nonsense", "mysteryql://x/y"])
def test_an_address_that_is_none_is_refused_with_words(url: str) -> None:
    with pytest.raises(EnvironmentFault, match="SHOTLIST_LEDGER_URL"):
        open_ledger(url)


def test_a_server_that_does_not_answer_is_told_without_the_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with pytest.raises(EnvironmentFault) as raised:
        open_ledger(f"postgresql://me:SECRET@/ledger?host={tmp_path}")
    said = str(raised.value)
    assert "SECRET" not in said
    assert "the ledger cannot be reached (" in said
    assert said.endswith("; start its server, or mend SHOTLIST_LEDGER_URL")


def test_a_driver_that_is_not_installed_is_named_with_its_remedy() -> None:
    with pytest.raises(EnvironmentFault) as raised:
        open_ledger("postgresql+psycopg2://me:SECRET@127.0.0.1:9/ledger")
    assert "SECRET" not in str(raised.value)
    assert str(raised.value).endswith("install it with: pip install 'shotlist[postgresql]'")


def test_commits_of_money_survive_a_power_cut_and_the_pace_waits_for_no_disk(
    tmp_path: Path,
) -> None:
    def pragmas(engine: Any) -> tuple[str, int]:
        with engine.connect() as connection:
            return (
                connection.exec_driver_sql("pragma journal_mode").scalar_one(),
                connection.exec_driver_sql("pragma synchronous").scalar_one(),
            )

    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as book:
        assert pragmas(book._engine) == ("wal", 2)
        assert pragmas(book._beside()[0]) == ("wal", 1)


def test_on_postgresql_money_waits_for_the_disk_and_the_pace_does_not(
    postgres: Callable[[], str],
) -> None:
    def waits(engine: Any) -> str:
        with engine.connect() as connection:
            return str(connection.exec_driver_sql("show synchronous_commit").scalar_one())

    with open_ledger(postgres()) as book:
        assert (waits(book._engine), waits(book._beside()[0])) == ("on", "off")


def test_a_database_refuses_a_done_take_without_bytes(book: Ledger) -> None:
    with (
        pytest.raises(Exception, match="done_has_bytes"),
        book._writer.begin() as connection,
    ):
        connection.execute(
            tables.takes.insert().values(
                realm="live",
                recipe="a" * 64,
                state="done",
                provider="fal",
                model="m",
                intended_by="r1",
                changed_at="2026-01-01T00:00:00.000Z",
            )
        )
