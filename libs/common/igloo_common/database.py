"""What every service's models share, and the two ways in which a unit of work reaches the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from flask import current_app
from sqlalchemy import Connection, DateTime, Engine, MetaData, Uuid, event, exc
from sqlalchemy.orm import Session, registry
from sqlalchemy.pool import Pool

from igloo_common.tables import add_common_tables, add_key_copies
from igloo_common.thread_connection import has_been_closed, lent_connection

__all__ = [
    "NAMING_CONVENTION",
    "NestedTransaction",
    "Reader",
    "add_common_tables",
    "add_key_copies",
    "current_engine",
    "new_registry",
    "reading",
    "transaction",
]

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Reader = Session | Connection
"""What a query takes: inside a transaction or outside of one, it reads the same."""


def new_registry() -> registry:
    """Make the registry of one service's models: named constraints, UTC times with zone, native UUIDs.

    Each service has its own, so that no service sees another's tables::

        class Base(DeclarativeBase):
            registry = new_registry()
    """
    return registry(
        metadata=MetaData(naming_convention=NAMING_CONVENTION),
        type_annotation_map={datetime: DateTime(timezone=True), UUID: Uuid(as_uuid=True)},
    )


class NestedTransaction(RuntimeError):
    """A unit of work tried to open a second transaction inside its first."""


_open_transaction: ContextVar[bool] = ContextVar("igloo_open_transaction", default=False)


def current_engine() -> Engine:
    """Return the current application's engine."""
    engine: Engine = current_app.extensions["sqlalchemy"].engine
    return engine


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the one transaction of a request, a command or an event.

    Opened by views, consumers and jobs alone; operations take its session and never commit. Commits when
    the block ends and rolls back on any exception. It never retries: the caller alone knows what else the
    block did. Objects stay readable after the commit. No network inside.

    Raises:
        NestedTransaction: when one is open already; a second one could commit half of the first one's work.
    """
    if _open_transaction.get():
        raise NestedTransaction(
            "A transaction is open already: pass its session down instead of opening another."
        )
    token = _open_transaction.set(True)
    try:
        with (
            lent_connection(current_engine(), autocommit=False) as connection,
            Session(connection, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
    finally:
        _open_transaction.reset(token)


@contextmanager
def reading() -> Iterator[Connection]:
    """Lend a connection in autocommit, for reads: no BEGIN and no COMMIT round trip.

    Each statement sees its own snapshot. A read that needs one snapshot for several statements uses
    `transaction()`.
    """
    with lent_connection(current_engine(), autocommit=True) as connection:
        yield connection


@event.listens_for(Pool, "checkout")
def _refuse_closed_connection(dbapi_connection: psycopg.Connection[Any], *_: object) -> None:
    """Replace a pooled connection that the server has closed, before a request meets it."""
    if has_been_closed(dbapi_connection):
        raise exc.DisconnectionError("The server has closed this connection.")
