"""The ledger's tables: promises are constraints, so that the database keeps them.

`metadata` is what must survive a power cut. `pace` is what lives for minutes (who is at work, what
was asked for, what is being made): its loss costs a minute of waiting and never money.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from flows.nouns.take import Realm, TakeState

SCHEMA_VERSION = 4

metadata = MetaData()
pace = MetaData()

_LONG = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts rows of an INTEGER key only, and it holds 64 bits anyway."""

_STATES = ", ".join(f"'{state}'" for state in TakeState)
_REALMS = ", ".join(f"'{realm}'" for realm in Realm)

about = Table(
    "shotlist_about",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

takes = Table(
    "takes",
    metadata,
    # one row a recipe and realm: two runs that want the same take meet here, and one of them wins
    Column("realm", String(8), primary_key=True),
    Column("recipe", String(64), primary_key=True),
    Column("state", String(12), nullable=False),
    Column("provider", String(40), nullable=False),
    Column("model", String(60), nullable=False),
    Column("account", String(80), nullable=False, default=""),  # a key's name, never the key
    Column("host_task_id", Text),
    Column("host_notes", Text),  # JSON object of texts: what asking for the task needs besides
    Column("seed", _LONG),
    Column("price_usd", Numeric(12, 6)),  # what the price table said when it was intended
    Column("cost_usd", Numeric(12, 6)),  # what it cost, once bought
    Column("cost_from", String(8)),  # answer, price
    Column("sha256", String(64)),  # of the bytes in the store
    Column("bytes", Integer),
    Column("width", Integer),
    Column("height", Integer),
    Column("format", String(8)),
    Column("reason", Text),  # the host's own words, or ours, for anything but success
    Column("billed", Boolean),
    Column("intended_by", String(40), nullable=False),  # the run that wrote the intent
    Column("changed_at", String(32), nullable=False),
    Column("purchase", BigInteger),  # the row of `purchases` that this intent became once sent
    CheckConstraint(f"state in ({_STATES})", name="known_state"),
    CheckConstraint(f"realm in ({_REALMS})", name="known_realm"),
    CheckConstraint("state <> 'done' or sha256 is not null", name="done_has_bytes"),
    Index("takes_by_state", "realm", "state"),
)

purchases = Table(
    "purchases",
    metadata,
    # one row each time a take was sent: what an earlier try of a recipe cost is never overwritten
    Column("id", _LONG, primary_key=True, autoincrement=True),
    Column("realm", String(8), nullable=False),
    Column("recipe", String(64), nullable=False),
    Column("provider", String(40), nullable=False),
    Column("account", String(80), nullable=False),
    Column("run", String(40), nullable=False),
    Column("price_usd", Numeric(12, 6)),  # of the price table, when it was sent
    Column("cost_usd", Numeric(12, 6)),
    Column("cost_from", String(8)),  # answer, price
    Column("billed", Boolean),  # null: not known
    Column("state", String(12), nullable=False),  # how this try stands or ended
    Column("at", String(32), nullable=False),  # when it was sent
    CheckConstraint(f"state in ({_STATES})", name="known_purchase_state"),
    Index("purchases_by_time", "realm", "at"),
    Index("purchases_by_run", "run"),
)

events = Table(
    "take_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("realm", String(8), nullable=False),
    Column("recipe", String(64), nullable=False),
    Column("state", String(12), nullable=False),
    Column("provider", String(40), nullable=False),
    Column("run", String(40), nullable=False),
    Column("at", String(32), nullable=False),
    Column("detail", Text),
    Index("events_by_take", "realm", "recipe"),
)

shots = Table(
    "shots",
    metadata,
    # what a campaign last set out to make, so that the next plan can say what changed
    Column("campaign", String(120), primary_key=True),
    Column("realm", String(8), primary_key=True),
    Column("shot_id", String(500), primary_key=True),
    Column("recipes", Text, nullable=False),  # hex digests, joined by a space
    Column("planned_at", String(32), nullable=False),
)

contents = Table(
    "known_contents",
    metadata,
    # references that were looked at: unchanged stamp, no second reading
    Column("location", String(2000), primary_key=True),
    Column("stamp", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("format", String(8), nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("campaign", String(120), nullable=False),
    Column("realm", String(8), nullable=False),
    Column("spec_sha256", String(64), nullable=False),
    Column("destination", Text, nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("ended_at", String(32)),
    Column("outcome", String(20)),  # ended, interrupted
    Column("told", Text),  # what became of it, in a line
    Index("runs_by_campaign", "campaign", "realm"),
)

turned_down = Table(
    "turned_down",
    metadata,
    # pictures that a person did not want: their shot gets another take number
    Column("campaign", String(120), primary_key=True),
    Column("realm", String(8), primary_key=True),
    Column("shot_id", String(500), primary_key=True),
    Column("take_number", Integer, primary_key=True),
    Column("why", Text, nullable=False),
    Column("at", String(32), nullable=False),
)

heard = Table(
    "heard",
    metadata,
    # what hosts called back with, in the order in which it was written
    Column("id", _LONG, primary_key=True, autoincrement=True),
    Column("host", String(40), nullable=False),
    Column("message_id", Text, nullable=False),
    Column("job", Text, nullable=False),  # the host's id of the task, or empty
    Column("mark", Text, nullable=False),  # our own sign in the callback's address, or empty
    Column("document", Text, nullable=False),  # JSON, as it came
    Column("at", String(32), nullable=False),
    UniqueConstraint("host", "message_id", name="heard_once"),
    Index("heard_by_time", "at"),
    sqlite_autoincrement=True,  # readers go on after the last id they saw: none is used again
)

latencies = Table(
    "latencies",
    metadata,
    # how long generations took: what the next run begins with
    Column("id", _LONG, primary_key=True, autoincrement=True),
    Column("host", String(80), nullable=False),
    Column("mode", String(20), nullable=False),
    Column("tier", String(20), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("exact", Boolean, nullable=False),  # false: it was seen this late, it was done before
    Column("at", String(32), nullable=False),
    Index("latencies_by_key", "host", "mode", "tier", "id"),
)

dispatchers = Table(
    "dispatchers",
    pace,
    # who drives an account at this moment; without a heartbeat for a minute it is taken for dead
    Column("owner", String(120), primary_key=True),
    Column("run", String(40), nullable=False),
    Column("account", String(120), nullable=False),  # fingerprint, never the key
    Column("host", String(40), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("machine", String(255), nullable=False),
    Column("heartbeat_at", Float, nullable=False),  # seconds since 1970, by the ledger's clock
    Index("dispatchers_by_run", "run"),
    Index("dispatchers_by_account", "account"),
)

calls = Table(
    "calls",
    pace,
    # requests of all processes, as far back as a window reaches
    Column("id", _LONG, primary_key=True, autoincrement=True),
    Column("account", String(120), nullable=False),
    Column("owner", String(120), nullable=False),
    Column("creates", Integer, nullable=False),
    Column("images", Integer, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("closed_at", Float),  # null: under way
    Index("calls_by_account", "account", "closed_at"),
    Index("calls_by_owner", "owner"),
    sqlite_autoincrement=True,
)

slots = Table(
    "slots",
    pace,
    # generations that hosts are making; one outlives the process that began it
    Column("account", String(120), primary_key=True),
    Column("recipe", String(64), primary_key=True),
    Column("owner", String(120), nullable=False),
    Column("since", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)
