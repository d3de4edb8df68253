from collections.abc import Mapping, Sequence

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from factories.databases import DatabaseUrls
from factories.environment import service_environ
from factories.social_people import make_person, relate
from factories.tokens import bearer
from igloo_common.access import assert_every_operation_has_access
from igloo_common.pipeline import Pipeline, Queued
from igloo_common.settings import EX_CONFIG, ConfigurationError, load_or_exit
from igloo_social.db import db
from igloo_social.settings import Settings


def test_every_operation_says_who_may_call_it(app: Flask) -> None:
    assert_every_operation_has_access(app)


def test_the_models_are_what_the_migrations_make(app: Flask) -> None:
    reply = app.test_cli_runner().invoke(args=["db", "check"])

    assert reply.exit_code == 0, reply.output


def test_there_is_one_head(app: Flask) -> None:
    versions = ScriptDirectory(app.extensions["migrate"].directory)

    assert len(versions.get_heads()) == 1


def test_a_profile_with_its_relationship_is_one_statement(
    app: Flask, client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, person = make_person(session), make_person(session)
    relate(session, viewer, "f", person)
    session.commit()
    headers = bearer(viewer)
    client.get(f"/v1/users/{person}", headers=headers)
    sent: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    def noted_add(self: Pipeline, text: bytes, values: Sequence[object]) -> Queued:
        sent.append(text.decode())
        return add(self, text, values)

    # Statements reach the server by SQLAlchemy or past it.
    add = Pipeline.add
    monkeypatch.setattr(Pipeline, "add", noted_add)
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert client.get(f"/v1/users/{person}", headers=headers).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)

    profile_reads = [statement for statement in sent if "revoked_sessions" not in statement]
    assert len(profile_reads) == 1


def test_a_bad_setting_is_named_and_nothing_starts(
    database_urls: Mapping[str, DatabaseUrls], capsys: pytest.CaptureFixture[str]
) -> None:
    environ = service_environ(
        "social",
        database_url=database_urls["social"].service,
        address_round_seconds="many",
        address_ttl_seconds="1",
    )

    with pytest.raises(SystemExit) as stopped:
        load_or_exit(lambda: Settings.load(environ))

    lines = capsys.readouterr().err.splitlines()
    assert stopped.value.code == EX_CONFIG
    assert len(lines) == 2
    assert any("IGLOO_ADDRESS_ROUND_SECONDS" in line for line in lines)
    assert any("IGLOO_ADDRESS_TTL_SECONDS" in line for line in lines)


def test_every_missing_setting_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.load({})

    text_ = str(refused.value)
    for name in ("SECRET_KEY", "IGLOO_SOCIAL_DATABASE_URL", "IGLOO_BROKER_URL", "IGLOO_ADDRESS_SIGNING_KEYS"):
        assert name in text_
