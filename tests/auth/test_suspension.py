"""Accounts that an operator has suspended, and moderators that one has appointed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from auth.facebook_server import FacebookServer
from auth.outboxes import published
from auth.phones import Phone, ask_token
from factories.waiting import eventually, wait_for_a_waiter
from igloo_auth.operations.sessions import Device
from igloo_auth.operations.sign_ins import sign_in
from igloo_auth.settings import TokenLifetimes
from igloo_common.clock import utc_now

LIFETIMES = TokenLifetimes(access_seconds=600, refresh_seconds=3600, reuse_grace_seconds=60)


class Operator:
    """Somebody at the command line of a running service."""

    def __init__(self, app: Flask) -> None:
        self._runner = app.test_cli_runner()

    def does(self, command: str, account_id: object, *options: str) -> str:
        """Run a command that succeeds and return what it says."""
        done = self._runner.invoke(args=["accounts", command, str(account_id), *options])
        assert done.exit_code == 0, done.output
        return done.output.strip()

    def fails(self, command: str, account_id: object, *options: str) -> str:
        """Run a command that fails and return what it says."""
        done = self._runner.invoke(args=["accounts", command, str(account_id), *options])
        assert done.exit_code not in (0, None), done.output
        assert not done.exception or isinstance(done.exception, SystemExit)
        return done.output.strip()

    def sees(self, account_id: object) -> dict[str, Any]:
        """Look at an account."""
        shown = orjson.loads(self.does("show", account_id))
        assert isinstance(shown, dict)
        return shown


@pytest.fixture
def operator(app: Flask) -> Operator:
    """Sit down at the command line."""
    return Operator(app)


def kinds(phone: Phone) -> list[str]:
    """Return the kinds of a person's trail, the latest first."""
    return [entry["kind"] for entry in (phone.get("/v1/account/security-events").json or {})["data"]]


def test_a_suspended_person_is_signed_out_everywhere_and_told_why(
    client: FlaskClient, facebook: FacebookServer, operator: Operator, session: Session
) -> None:
    person = facebook.person()
    phones = [Phone.signed_in(client, facebook.token(person)) for _ in range(2)]
    bystander = Phone.signed_in(client, facebook.token(facebook.person("Noise")))

    said = operator.does("suspend", phones[0].user_id, "--reason", "sells fish")

    assert said == f"{phones[0].user_id} is now suspended"
    for phone in phones:
        refused = phone.try_refresh().json or {}
        assert (refused["error"], refused["code"], refused["reason"]) == (
            "invalid_grant",
            "session_revoked",
            "account_suspended",
        )
    again = ask_token(client, "facebook_access_token", facebook_access_token=facebook.token(person))
    problem = again.json or {}
    assert (again.status_code, problem["error"], problem["code"], problem["reason"]) == (
        400,
        "invalid_grant",
        "account_suspended",
        "sells fish",
    )
    events = published(session, "auth.session.revoked.v1")
    assert {(event.data["session_id"], event.data["reason"]) for event in events} == {
        (phone.session_id, "account_suspended") for phone in phones
    }
    bystander.refresh()


def test_the_access_tokens_of_a_suspended_person_are_refused_within_seconds(
    phone: Phone, operator: Operator
) -> None:
    assert phone.get("/v1/account").status_code == 200

    operator.does("suspend", phone.user_id, "--reason", "sells fish")

    refused = eventually(
        lambda: phone.get("/v1/account"), lambda answer: answer.status_code == 401, what="the refusal"
    )
    assert (refused.json or {})["code"] == "session_revoked"


def test_a_reinstated_person_signs_in_again_and_reads_what_happened(
    client: FlaskClient, facebook: FacebookServer, operator: Operator
) -> None:
    person = facebook.person()
    before = Phone.signed_in(client, facebook.token(person))
    operator.does("suspend", before.user_id, "--reason", "sells fish")

    assert operator.does("reinstate", before.user_id) == f"{before.user_id} is now not suspended"

    after = Phone.signed_in(client, facebook.token(person))
    assert after.user_id == before.user_id
    assert (before.try_refresh().json or {})["code"] == "session_revoked"
    assert kinds(after) == ["signed_in", "account_reinstated", "account_suspended", "signed_in"]
    trail = (after.get("/v1/account/security-events").json or {})["data"]
    assert trail[2]["details"] == {"reason": "sells fish"}
    ended = (after.get("/v1/auth/sessions?state=ended").json or {})["data"]
    assert [entry["revoked_reason"] for entry in ended] == ["account_suspended"]


def test_each_command_may_be_repeated(
    client: FlaskClient, facebook: FacebookServer, operator: Operator, session: Session
) -> None:
    person = facebook.person()
    account_id = Phone.signed_in(client, facebook.token(person)).user_id
    commands = [
        ("suspend", "--reason", "sells fish"),
        ("suspend", "--reason", "another"),
        ("reinstate",),
        ("reinstate",),
        ("appoint-moderator",),
        ("appoint-moderator",),
        ("dismiss-moderator",),
        ("dismiss-moderator",),
    ]

    said = [operator.does(command, account_id, *options) for command, *options in commands]

    assert [line.split()[2] for line in said] == ["now", "already"] * 4
    assert len(published(session, "auth.session.revoked.v1")) == 1
    phone = Phone.signed_in(client, facebook.token(person))
    assert kinds(phone) == [
        "signed_in",
        "moderator_dismissed",
        "moderator_appointed",
        "account_reinstated",
        "account_suspended",
        "signed_in",
    ]


def test_an_account_is_shown_without_a_word_about_the_person(phone: Phone, operator: Operator) -> None:
    account_id = phone.user_id
    first = operator.sees(account_id)
    operator.does("suspend", account_id, "--reason", "sells fish")

    shown = operator.sees(account_id)

    assert (first["active_sessions"], first["suspended_at"], first["is_moderator"]) == (1, None, False)
    assert {**shown, "created_at": "…", "suspended_at": "…", "last_seen_at": "…"} == {
        "id": account_id,
        "is_moderator": False,
        "created_at": "…",
        "suspended_at": "…",
        "suspension_reason": "sells fish",
        "deleted_at": None,
        "active_sessions": 0,
        "last_seen_at": "…",
    }


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("show", ()),
        ("suspend", ("--reason", "sells fish")),
        ("reinstate", ()),
        ("appoint-moderator", ()),
        ("dismiss-moderator", ()),
    ],
)
def test_an_account_that_is_not_there_is_named(
    phone: Phone, operator: Operator, command: str, options: tuple[str, ...]
) -> None:
    unknown = uuid4()

    assert str(unknown) in operator.fails(command, unknown, *options)
    assert "not a valid UUID" in operator.fails(command, "snow-hare", *options)


@pytest.mark.parametrize("command", ["suspend", "reinstate", "appoint-moderator", "dismiss-moderator"])
def test_nothing_is_decided_about_a_deleted_account(
    phone: Phone, operator: Operator, session: Session, command: str
) -> None:
    session.execute(text("UPDATE accounts SET deleted_at = now(), display_name = '', picture_url = NULL"))
    session.commit()
    options = ("--reason", "sells fish") if command == "suspend" else ()

    assert "deleted" in operator.fails(command, phone.user_id, *options)
    assert operator.sees(phone.user_id)["deleted_at"] is not None


@pytest.mark.parametrize("reason", ["", "   ", "two\nlines", "a bell \a", "x" * 201])
def test_a_reason_that_could_not_be_shown_is_refused(phone: Phone, operator: Operator, reason: str) -> None:
    assert "--reason" in operator.fails("suspend", phone.user_id, "--reason", reason)
    phone.refresh()


def test_a_suspension_needs_a_reason(phone: Phone, operator: Operator) -> None:
    assert "--reason" in operator.fails("suspend", phone.user_id)
    phone.refresh()


def test_a_sign_in_that_is_under_way_ends_with_the_suspension(
    client: FlaskClient, phone: Phone, operator: Operator, session: Session
) -> None:
    grant = sign_in(
        session,
        account_id=UUID(phone.user_id),
        device=Device(name=None, platform=None, network=None),
        grant_type="facebook_access_token",
        lifetimes=LIFETIMES,
        now=utc_now(),
    )

    with ThreadPoolExecutor(1) as pool:
        suspending = pool.submit(operator.does, "suspend", phone.user_id, "--reason", "sells fish")
        wait_for_a_waiter(session, suspending)  # type: ignore[arg-type]  # a future of a text
        session.commit()
        suspending.result()

    answer = ask_token(client, "refresh_token", refresh_token=grant.refresh_token).json or {}
    assert (answer["code"], answer["reason"]) == ("session_revoked", "account_suspended")


def test_refreshes_and_sign_outs_at_the_moment_of_a_suspension_neither_fail_nor_escape(
    app: Flask, facebook: FacebookServer, operator: Operator
) -> None:
    person = facebook.person()
    phones = [Phone.signed_in(app.test_client(), facebook.token(person)) for _ in range(12)]

    def go_on(number: int) -> int:
        phone = phones[number]
        if number == 0:
            operator.does("suspend", phone.user_id, "--reason", "sells fish")
            return 200
        if number % 2:
            return phone.try_refresh().status_code
        return phone.client.post("/v1/auth/revoke", data={"token": phone.refresh_token}).status_code

    with ThreadPoolExecutor(len(phones)) as pool:
        statuses = list(pool.map(go_on, range(len(phones))))

    assert set(statuses) <= {200, 400}
    assert operator.sees(phones[0].user_id)["active_sessions"] == 0
    assert {(phone.try_refresh().json or {})["code"] for phone in phones} == {"session_revoked"}


def test_a_moderator_has_the_scope_from_the_next_refresh_or_sign_in_on(
    client: FlaskClient, facebook: FacebookServer, operator: Operator
) -> None:
    person = facebook.person()
    phone = Phone.signed_in(client, facebook.token(person))
    bystander = Phone.signed_in(client, facebook.token(facebook.person("Noise")))
    assert phone.granted["scope"] == "user"

    operator.does("appoint-moderator", phone.user_id)
    phone.refresh()
    signed_in = Phone.signed_in(client, facebook.token(person))
    bystander.refresh()

    assert (phone.granted["scope"], signed_in.granted["scope"]) == ("moderator user", "moderator user")
    assert bystander.granted["scope"] == "user"
    operator.does("dismiss-moderator", phone.user_id)
    phone.refresh()
    assert phone.granted["scope"] == "user"
    assert kinds(phone) == ["moderator_dismissed", "signed_in", "moderator_appointed", "signed_in"]


def test_an_appointment_that_overtakes_a_lost_answer_is_in_the_retry(
    client: FlaskClient, phone: Phone, operator: Operator
) -> None:
    lost = phone.try_refresh().json or {}
    operator.does("appoint-moderator", phone.user_id)

    retried = phone.try_refresh().json or {}

    assert (retried["refresh_token"], retried["scope"]) == (lost["refresh_token"], "moderator user")


def test_the_commands_are_there_in_a_process_of_their_own(
    environ: dict[str, str], make_app: Callable[..., Flask], facebook: FacebookServer
) -> None:
    phone = Phone.signed_in(make_app().test_client(), facebook.token(facebook.person()))
    command = [sys.executable, "-m", "flask", "--app", "igloo_auth.app", "accounts", "suspend"]

    done = subprocess.run(  # noqa: S603 - fixed words
        [*command, phone.user_id, "--reason", "sells fish"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, f"{phone.user_id} is now suspended\n"), done.stderr
    assert (phone.try_refresh().json or {})["reason"] == "account_suspended"
