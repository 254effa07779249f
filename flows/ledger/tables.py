"""The ledger's tables: promises are constraints, so that the database keeps them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
)

from flows.nouns.take import Realm, TakeState

SCHEMA_VERSION = 2

metadata = MetaData()

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
    Column("seed", Integer),
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
    CheckConstraint(f"state in ({_STATES})", name="known_state"),
    CheckConstraint(f"realm in ({_REALMS})", name="known_realm"),
    CheckConstraint("state <> 'done' or sha256 is not null", name="done_has_bytes"),
    Index("takes_by_state", "realm", "state"),
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
    Column("outcome", String(20)),  # published, incomplete, interrupted
    Index("runs_by_campaign", "campaign", "realm"),
)
