"""The tables that every service keeps in its own schema: events, kept replies, denials, rate limits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB


def add_common_tables(metadata: MetaData) -> None:
    """Add the common tables to a service's metadata, so that its migrations and models cover them."""
    _add_outbox(metadata)
    _add_inbox(metadata)
    _add_request_tables(metadata)


def add_key_copies(metadata: MetaData) -> None:
    """Add the table of key copies, for services that verify with the keys of another."""
    Table(
        "key_copies",
        metadata,
        Column("jwks_url", Text, primary_key=True),
        Column("document", LargeBinary, nullable=False),
        _time("fetched_at"),
        Column("seal", LargeBinary, nullable=False),
    )


def _time(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _add_outbox(metadata: MetaData) -> None:
    outbox = Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("event_id", Uuid, nullable=False),
        Column("type", Text, nullable=False),
        Column("aggregate_key", Text, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        # The event's data alone, as JSON bytes: nothing in the database looks inside, and jsonb would parse
        # it for nothing.
        Column("payload", LargeBinary, nullable=False),
        Column("traceparent", Text),
        _time("created_at"),
        _time("published_at", nullable=True),
    )
    Index("ix_outbox_unpublished", outbox.c.id, postgresql_where=text("published_at IS NULL"))
    Index("ix_outbox_published_at", outbox.c.published_at, postgresql_where=text("published_at IS NOT NULL"))
    Table(
        "event_sequences",
        metadata,
        Column("aggregate_key", Text, primary_key=True),
        Column("sequence", BigInteger, nullable=False),
    )


def _add_inbox(metadata: MetaData) -> None:
    inbox = Table(
        "inbox",
        metadata,
        Column("event_id", Uuid, primary_key=True),
        Column("type", Text, nullable=False),
        Column("aggregate_key", Text, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("traceparent", Text),
        _time("received_at"),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        _time("next_attempt_at"),
        _time("applied_at", nullable=True),
        Column("status", Text, nullable=False, server_default=text("'pending'")),
        Column("last_error", Text),
        CheckConstraint("status IN ('pending', 'applied', 'stale', 'dead', 'ignored')", name="status"),
    )
    Index("ix_inbox_due", inbox.c.next_attempt_at, postgresql_where=text("status = 'pending'"))
    Index(
        "ix_inbox_unapplied_key",
        inbox.c.aggregate_key,
        inbox.c.sequence,
        postgresql_where=text("status IN ('pending', 'dead')"),
    )
    Index("ix_inbox_key", inbox.c.aggregate_key, inbox.c.type, inbox.c.sequence)
    Index("ix_inbox_ignored", inbox.c.type, postgresql_where=text("status = 'ignored'"))
    Index("ix_inbox_received_at", inbox.c.received_at)
    Table(
        "parked_messages",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("body", LargeBinary, nullable=False),
        Column("routing_key", Text),
        Column("reason", Text, nullable=False),
        _time("received_at"),
    )


def _add_request_tables(metadata: MetaData) -> None:
    keys = Table(
        "idempotency_keys",
        metadata,
        Column("subject", Text, primary_key=True),
        Column("route", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("body_hash", LargeBinary, nullable=False),
        # The reply is unknown until the effect that it answers for is done.
        Column("status", SmallInteger),
        Column("headers", JSONB),
        Column("body", LargeBinary),
        _time("created_at"),
    )
    Index("ix_idempotency_keys_created_at", keys.c.created_at)
    revoked = Table(
        "revoked_sessions",
        metadata,
        Column("session_id", Uuid, primary_key=True),
        _time("until"),
    )
    Index("ix_revoked_sessions_until", revoked.c.until)
    # Not logged: a crash of the database forgets the counters, and no request waits for the disk to count.
    # No index on the time either: each request would write it, only for an hourly job to read it once.
    Table(
        "rate_limits",
        metadata,
        Column("name", Text, primary_key=True),
        Column("subject", Text, primary_key=True),
        # The theoretical arrival time of the generic cell rate algorithm: when the bucket will be full again.
        _time("full_at"),
        prefixes=["UNLOGGED"],
    )
