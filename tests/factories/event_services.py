"""Two small services for the tests of the event backbone: `auth` writes notes, `social` copies them.

Run as `python -m factories.event_services auth|social`, it is that service's worker process.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase, Session

from factories.tokens import StaticKeys
from igloo_common import database
from igloo_common.clock import utc_now
from igloo_common.consumers import Consumers, Delivery
from igloo_common.events import Event
from igloo_common.outbox import emit
from igloo_common.settings import CommonSettings, Environment, load_or_exit
from igloo_common.web import create_service
from igloo_common.worker import Worker

POISON = "poison"
DDL = """
CREATE TABLE effects (
    number bigint GENERATED ALWAYS AS IDENTITY,
    event_id uuid NOT NULL,
    aggregate_key text NOT NULL,
    sequence bigint NOT NULL
)
"""


class Base(DeclarativeBase):
    """The models of either service: the common tables alone."""

    registry = database.new_registry()


database.add_common_tables(Base.metadata)


@dataclass(frozen=True, kw_only=True)
class NoteWritten(Event):
    """Somebody has written a note."""

    type: ClassVar[str] = "auth.note.written.v1"
    note_id: UUID
    text: str
    written_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Order the events of one note."""
        return f"note:{self.note_id}"


@dataclass(frozen=True, kw_only=True)
class NoteBurnt(Event):
    """A note is gone, and no service cares."""

    type: ClassVar[str] = "auth.note.burnt.v1"
    note_id: UUID

    @property
    def aggregate_key(self) -> str:
        """Order the events of one note."""
        return f"note:{self.note_id}"


@dataclass(frozen=True, kw_only=True)
class WrittenText:
    """What `social` reads of a written note."""

    text: str


consumers = Consumers("social")


@consumers.on(NoteWritten.type, WrittenText)
def copy_note(session: Session, event: Delivery[WrittenText], _now: datetime) -> None:
    """Leave a row for each time that this ran: a repeated effect is seen."""
    session.execute(
        text("INSERT INTO effects (event_id, aggregate_key, sequence) VALUES (:id, :key, :sequence)"),
        {"id": event.id, "key": event.key, "sequence": event.sequence},
    )
    if event.data.text == POISON:
        raise ValueError("cannot be copied")


def event_app(environ: dict[str, str] | None, *, service: str) -> tuple[Flask, CommonSettings]:
    """Make one of the two services."""

    def load() -> CommonSettings:
        env = Environment.load(environ)
        settings = CommonSettings.read(env, service=service)
        env.finish()
        return settings

    settings = load_or_exit(load)
    db = SQLAlchemy(model_class=Base)
    return create_service(settings=settings, db=db, blueprints=(), title=service, keys=StaticKeys()), settings


def write_note(session: Session, note_id: UUID, content: str = "hello") -> None:
    """Announce a note."""
    now = utc_now()
    emit(session, NoteWritten(note_id=note_id, text=content, written_at=now), now=now)


def main(service: str) -> int:
    """Run the worker of a service."""
    app, settings = event_app(None, service=service)
    register = consumers if service == consumers.service else Consumers(service)
    return Worker(app=app, settings=settings, consumers=register).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
