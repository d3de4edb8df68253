"""The common tables as migrations see them, each version frozen: a later change is a migration of its own."""

from __future__ import annotations

from typing import Protocol

_CREATE_V1 = (
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY,
        event_id uuid NOT NULL,
        type text NOT NULL,
        aggregate_key text NOT NULL,
        sequence bigint NOT NULL,
        payload bytea NOT NULL,
        traceparent text,
        created_at timestamptz NOT NULL,
        published_at timestamptz,
        CONSTRAINT pk_outbox PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_outbox_unpublished ON outbox (id) WHERE published_at IS NULL",
    "CREATE INDEX ix_outbox_published_at ON outbox (published_at) WHERE published_at IS NOT NULL",
    """
    CREATE TABLE event_sequences (
        aggregate_key text NOT NULL,
        sequence bigint NOT NULL,
        CONSTRAINT pk_event_sequences PRIMARY KEY (aggregate_key)
    )
    """,
    """
    CREATE TABLE inbox (
        event_id uuid NOT NULL,
        type text NOT NULL,
        aggregate_key text NOT NULL,
        sequence bigint NOT NULL,
        payload bytea NOT NULL,
        traceparent text,
        received_at timestamptz NOT NULL,
        attempts integer DEFAULT 0 NOT NULL,
        next_attempt_at timestamptz NOT NULL,
        applied_at timestamptz,
        status text DEFAULT 'pending' NOT NULL,
        last_error text,
        CONSTRAINT pk_inbox PRIMARY KEY (event_id),
        CONSTRAINT ck_inbox_status CHECK (status IN ('pending', 'applied', 'stale', 'dead', 'ignored'))
    )
    """,
    "CREATE INDEX ix_inbox_due ON inbox (next_attempt_at) WHERE status = 'pending'",
    """
    CREATE INDEX ix_inbox_unapplied_key ON inbox (aggregate_key, sequence) WHERE status IN ('pending', 'dead')
    """,
    "CREATE INDEX ix_inbox_key ON inbox (aggregate_key, type, sequence)",
    "CREATE INDEX ix_inbox_ignored ON inbox (type) WHERE status = 'ignored'",
    "CREATE INDEX ix_inbox_received_at ON inbox (received_at)",
    """
    CREATE TABLE parked_messages (
        id bigint GENERATED ALWAYS AS IDENTITY,
        body bytea NOT NULL,
        routing_key text,
        reason text NOT NULL,
        received_at timestamptz NOT NULL,
        CONSTRAINT pk_parked_messages PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE idempotency_keys (
        subject text NOT NULL,
        route text NOT NULL,
        key text NOT NULL,
        body_hash bytea NOT NULL,
        status smallint,
        headers jsonb,
        body bytea,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_idempotency_keys PRIMARY KEY (subject, route, key)
    )
    """,
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
    """
    CREATE TABLE revoked_sessions (
        session_id uuid NOT NULL,
        until timestamptz NOT NULL,
        CONSTRAINT pk_revoked_sessions PRIMARY KEY (session_id)
    )
    """,
    "CREATE INDEX ix_revoked_sessions_until ON revoked_sessions (until)",
)
_TABLES_V1 = (
    "outbox",
    "event_sequences",
    "inbox",
    "parked_messages",
    "idempotency_keys",
    "revoked_sessions",
)
_CREATE_V2 = (
    """
    CREATE UNLOGGED TABLE rate_limits (
        name text NOT NULL,
        subject text NOT NULL,
        full_at timestamptz NOT NULL,
        CONSTRAINT pk_rate_limits PRIMARY KEY (name, subject)
    )
    """,
)
_CREATE_KEY_COPIES = """
    CREATE TABLE key_copies (
        jwks_url text NOT NULL,
        document bytea NOT NULL,
        fetched_at timestamptz NOT NULL,
        seal bytea NOT NULL,
        CONSTRAINT pk_key_copies PRIMARY KEY (jwks_url)
    )
"""


class Executor(Protocol):
    """The one method of `alembic.op` that is used here."""

    def execute(self, sqltext: str) -> None:
        """Run one statement."""


def create_common_tables(op: Executor) -> None:
    """Create the common tables in the search path's schema; part of each service's first migration."""
    for statement in _CREATE_V1:
        op.execute(statement)


def drop_common_tables(op: Executor) -> None:
    """Drop what `create_common_tables` made."""
    for table in reversed(_TABLES_V1):
        op.execute(f"DROP TABLE {table}")


def create_rate_limits(op: Executor) -> None:
    """Create what version 2 adds: the table of rate limits."""
    for statement in _CREATE_V2:
        op.execute(statement)


def drop_rate_limits(op: Executor) -> None:
    """Drop what `create_rate_limits` made."""
    op.execute("DROP TABLE rate_limits")


def create_key_copies(op: Executor) -> None:
    """Create the table of key copies, for services that verify with the keys of another."""
    op.execute(_CREATE_KEY_COPIES)


def drop_key_copies(op: Executor) -> None:
    """Drop what `create_key_copies` made."""
    op.execute("DROP TABLE key_copies")
