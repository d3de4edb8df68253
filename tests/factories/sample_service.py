"""A small service with one view for each thing that the shared library promises, for the library's tests."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask, Response, request
from flask_sqlalchemy import SQLAlchemy
from marshmallow import Schema, ValidationError, fields, post_load, validate
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase, Session

from factories.environment import service_environ
from factories.tokens import StaticKeys
from igloo_common import access, database
from igloo_common.database import reading, transaction
from igloo_common.errors import Conflict, FieldError, RateLimited, Unavailable
from igloo_common.field_errors import CodedMessage
from igloo_common.idempotency import errand, once
from igloo_common.keys import KeySource
from igloo_common.pagination import PageQuery, PageQuerySchema, PageSchema, neighbours, page_response
from igloo_common.rate_limits import (
    RATE_LIMIT_HEADERS,
    RATE_LIMITED,
    RateLimit,
    address_subject,
    charge,
    charge_while_left,
)
from igloo_common.settings import CommonSettings, Environment
from igloo_common.web import Blueprint, body_limit, create_service, json_response, provide, provided

NOWHERE = "postgresql://nobody:nothing@127.0.0.1:9/nothing"
blueprint = Blueprint("notes", __name__, description="Notes that people keep.")


class Base(DeclarativeBase):
    """The sample's models; it has the common tables alone."""

    registry = database.new_registry()


database.add_common_tables(Base.metadata)
database.add_key_copies(Base.metadata)


class NoteTaken(Conflict):
    """There is such a note already."""


class SlowDown(RateLimited):
    """Too many notes."""

    retry_after_seconds = 7


@dataclass(frozen=True, kw_only=True)
class KeepNote:
    """The command to keep a note."""

    text: str
    stars: int
    labels: list[str]


class LabelSchema(Schema):
    """A label."""

    name = fields.String(required=True, validate=validate.Length(max=5))


def _no_shouting(value: str) -> None:
    if value.isupper():
        raise ValidationError(CodedMessage("Do not shout.", code="shouting"))


class KeepNoteSchema(Schema):
    """A note to keep."""

    text = fields.String(required=True, validate=[validate.Length(min=1, max=100), _no_shouting])
    stars = fields.Integer(load_default=0, validate=validate.Range(min=0, max=5))
    labels = fields.List(fields.Nested(LabelSchema), load_default=[])

    @post_load
    def _command(self, values: dict[str, Any], **_: object) -> KeepNote:
        labels = [label["name"] for label in values.pop("labels")]
        return KeepNote(labels=labels, **values)


class GrantSchema(Schema):
    """What a token is asked for with."""

    grant_type = fields.String(required=True)


@blueprint.route("/v1/notes", methods=["POST"])
@access.user
@blueprint.arguments(KeepNoteSchema)
@blueprint.response(201, KeepNoteSchema)
def keep_note(body: KeepNote) -> Response:
    """Keep a note."""
    with transaction() as session:
        return once(session, lambda: _kept(session, body))


@blueprint.route("/v1/notes/<uuid:note_id>/copies", methods=["POST"])
@access.user
@blueprint.arguments(KeepNoteSchema)
@blueprint.response(201, KeepNoteSchema)
def copy_note(body: KeepNote, note_id: UUID) -> Response:
    """Copy a note."""
    with transaction() as session:
        return once(session, lambda: _kept(session, body))


def _kept(session: Session, body: KeepNote) -> Response:
    session.execute(text("INSERT INTO effects (text) VALUES (:text)"), {"text": body.text})
    status = 409 if body.text == "refused by reply" else 201
    if body.text == "refused":
        raise NoteTaken("There is such a note.", extra={"note": "the first"})
    number = session.scalar(text("SELECT count(*) FROM effects"))
    return json_response({"text": body.text, "number": number}, status=status, headers={"Location": "/n/1"})


class Halfway:
    """What a test has happen between the two transactions of an errand."""

    def __init__(self) -> None:
        self.reached: Callable[[], None] = lambda: None


@blueprint.route("/v1/errands", methods=["POST"])
@access.user
@blueprint.response(201, KeepNoteSchema)
def run_errand() -> Response:
    """Keep a note in two transactions."""
    with errand(request.get_data()) as trip:
        with transaction() as session:
            found = trip.resume(session)
            if isinstance(found, Response):
                return found
            if found is None:
                session.execute(text("INSERT INTO effects (text) VALUES ('errand')"))
            trip.note(session, found or b"the first")
        provided(Halfway).reached()
        with transaction() as session:
            response = json_response({"went_on_with": found and found.decode()}, status=201)
            trip.keep(session, response)
        return response


@blueprint.route("/v1/notes", methods=["GET"])
@access.optional
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, PageSchema)
def list_notes(query: PageQuery) -> Response:
    """List notes."""
    scope = f"notes:{access.viewer_id()}"
    asked = query.position(scope=scope)
    return page_response([], scope=scope, around=neighbours([], asked=asked, more=False))


@blueprint.route("/v1/notes/echo", methods=["POST"])
@access.public
@blueprint.arguments(KeepNoteSchema)
@blueprint.response(200, KeepNoteSchema)
def echo_note(body: KeepNote) -> Response:
    """Send a note back."""
    return json_response(body)


@blueprint.route("/v1/notes/tags/<tag>", methods=["GET"])
@access.public
@blueprint.response(200)
def show_tag(tag: str) -> Response:
    """Show a tag."""
    with reading() as connection:
        return json_response({"tag": connection.scalar(text("SELECT cast(:tag AS text)"), {"tag": tag})})


@blueprint.route("/v1/waits/<int:milliseconds>", methods=["GET"])
@access.public
@blueprint.response(200)
def wait(milliseconds: int) -> Response:
    """Take this long, in the database."""
    with reading() as connection:
        connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": milliseconds / 1000})
    return json_response({"process": os.getpid()})


@blueprint.route("/v1/me", methods=["GET"])
@access.user
@blueprint.response(200)
def show_me() -> Response:
    """Show who calls."""
    return json_response({"user_id": access.current_identity().user_id})


@blueprint.route("/v1/moderation", methods=["GET"])
@access.scope("moderator")
@blueprint.response(200)
def moderate() -> Response:
    """Moderate."""
    return json_response({"moderator": True})


@blueprint.route("/v1/token", methods=["POST"])
@access.public
@blueprint.arguments(GrantSchema, location="json_or_form")
@blueprint.response(200, GrantSchema)
def issue_token(body: dict[str, str]) -> Response:
    """Issue a token."""
    return json_response(body)


@blueprint.route("/v1/large", methods=["POST"])
@access.public
@body_limit(64)
@blueprint.arguments(GrantSchema)
@blueprint.response(200, GrantSchema)
def take_little(body: dict[str, str]) -> Response:
    """Take little."""
    return json_response(body)


@blueprint.route("/v1/knocks/<outcome>", methods=["GET"])
@access.public
@blueprint.response(200, headers=RATE_LIMIT_HEADERS)
@blueprint.alt_response(429, **RATE_LIMITED)
def knock(outcome: str) -> Response:
    """Knock, which may be done thrice an hour; after two wrong knocks there is no more knocking."""
    who = address_subject(request.remote_addr)
    wrong = RateLimit(name="wrong-knocks", quota=2, window_seconds=3600)
    knocks = RateLimit(name="knocks", quota=3, window_seconds=3600)
    charge_while_left(knocks, wrong, who, extra={"error": "too_loud"})
    if outcome == "wrong":
        charge(wrong, who)
        raise NoteTaken("Wrong.")
    return json_response({"knocked": True})


_TRANSACTION_TROUBLE = {
    "read_only": ["SET TRANSACTION READ ONLY", "INSERT INTO effects VALUES ('none')"],
    "too_idle": ["SET LOCAL idle_in_transaction_session_timeout = '1ms'", "SELECT 1"],
    "too_slow": ["SET LOCAL statement_timeout = '20ms'", "SELECT pg_sleep(5)"],
    "ended": ["SELECT pg_terminate_backend(pg_backend_pid())"],
    "after_an_error": ["SAVEPOINT a", "DO $$ BEGIN COMMIT; END $$"],
}


@blueprint.route("/v1/trouble/<kind>", methods=["GET"])
@access.public
@blueprint.response(200)
def cause_trouble(kind: str) -> Response:
    """Fail as asked."""
    if kind == "slow_down":
        raise SlowDown("Wait a little.")
    if kind == "unavailable":
        raise Unavailable("Not now.")
    if kind == "database":
        with reading() as connection:
            connection.execute(text("SELECT 1"))
    if kind in _TRANSACTION_TROUBLE:
        with transaction() as session:
            for statement in _TRANSACTION_TROUBLE[kind]:
                session.execute(text(statement))
                if "idle" in statement:
                    # The server's farewell is there to be read before the next statement is sent.
                    driver: Any = session.connection().connection.dbapi_connection
                    select.select([driver], [], [], 10)
    if kind == "field":
        raise NoteTaken(errors=[FieldError(pointer="/text", code="taken", detail="It is taken.")])
    raise RuntimeError(f"the secret of {request.path}")


def sample_settings(**environ: str) -> CommonSettings:
    """Read the sample's settings; names are those of the environment."""
    env = Environment.load({**service_environ("media", database_url=NOWHERE), **environ})
    settings = CommonSettings.read(env, service="media")
    env.finish()
    return settings


def settings_of_this_process() -> CommonSettings:
    """Read the sample's settings from the environment of the process, as a service does."""
    env = Environment.load()
    settings = CommonSettings.read(env, service="media")
    env.finish()
    return settings


def sample_app(settings: CommonSettings | None = None, *, keys: KeySource | None = None) -> Flask:
    """Make the sample's application."""
    app = create_service(
        settings=settings or sample_settings(),
        db=SQLAlchemy(model_class=Base),
        blueprints=[blueprint],
        title="Sample",
        keys=keys or StaticKeys(),
    )
    provide(app, Halfway())
    return app
