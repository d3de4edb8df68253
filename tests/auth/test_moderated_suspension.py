"""Accounts that moderators decide to suspend in the social service, and what this service says of it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from auth.deliveries import deliver
from auth.outboxes import published
from auth.phones import Phone, ask_token
from igloo_common.clock import utc_now

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session

    from auth.facebook_server import FacebookServer

REASON = "Moderators found that this account broke the rules about spam."


def decide(app: Flask, account_id: object) -> None:
    """Have a moderator decide to suspend an account."""
    deliver(
        app,
        "social.suspension.decided.v1",
        account_id=str(account_id),
        report_id=str(uuid4()),
        moderator_id=str(uuid4()),
        reason=REASON,
        decided_at=utc_now().isoformat(),
    )


def lift(app: Flask, account_id: object) -> None:
    """Have a moderator take the decision back."""
    deliver(
        app,
        "social.suspension.lifted.v1",
        account_id=str(account_id),
        report_id=str(uuid4()),
        moderator_id=str(uuid4()),
        lifted_at=utc_now().isoformat(),
    )


def said(session: Session) -> list[tuple[str, str]]:
    """Return what was published of suspensions: what, and of whom."""
    return [
        (event.type.split(".")[2], event.data["account_id"])
        for event in published(session)
        if event.type in ("auth.account.suspended.v1", "auth.account.reinstated.v1")
    ]


def command(app: Flask, *words: object) -> str:
    done = app.test_cli_runner().invoke(args=["accounts", *map(str, words)])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_decision_ends_the_sessions_and_is_told_at_the_next_sign_in(
    app: Flask, client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    phone = Phone.signed_in(client, facebook.token(person))
    bystander = Phone.signed_in(client, facebook.token(facebook.person("Noise")))

    decide(app, phone.user_id)

    assert (phone.try_refresh().json or {})["reason"] == "account_suspended"
    refused = ask_token(client, "facebook_access_token", facebook_access_token=facebook.token(person))
    problem = refused.json or {}
    assert (refused.status_code, problem["code"], problem["reason"]) == (400, "account_suspended", REASON)
    bystander.refresh()
    (event,) = [one for one in published(session) if one.type == "auth.account.suspended.v1"]
    assert event.aggregate_key == f"account:{phone.user_id}"
    assert event.data["account_id"] == phone.user_id


def test_a_decision_taken_back_lets_the_person_sign_in_again(
    app: Flask, client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    phone = Phone.signed_in(client, facebook.token(person))
    decide(app, phone.user_id)

    lift(app, phone.user_id)

    assert Phone.signed_in(client, facebook.token(person)).user_id == phone.user_id
    assert said(session) == [("suspended", phone.user_id), ("reinstated", phone.user_id)]


def test_what_comes_again_is_said_once(app: Flask, phone: Phone, session: Session) -> None:
    for step in (lift, decide, decide, lift, lift, decide):
        step(app, phone.user_id)

    assert [word for word, _ in said(session)] == ["suspended", "reinstated", "suspended"]


def test_what_operators_decide_is_said_as_well(app: Flask, phone: Phone, session: Session) -> None:
    for words in (("suspend", phone.user_id, "--reason", "sells fish"), ("reinstate", phone.user_id)):
        for _ in range(2):
            command(app, *words)

    assert said(session) == [("suspended", phone.user_id), ("reinstated", phone.user_id)]


def test_an_operators_reason_stays_when_moderators_decide_the_same(
    app: Flask, client: FlaskClient, facebook: FacebookServer
) -> None:
    person = facebook.person()
    phone = Phone.signed_in(client, facebook.token(person))
    command(app, "suspend", phone.user_id, "--reason", "sells fish")

    decide(app, phone.user_id)

    refused = ask_token(client, "facebook_access_token", facebook_access_token=facebook.token(person))
    assert (refused.json or {})["reason"] == "sells fish"


def test_moderators_do_not_suspend_each_other(
    app: Flask, phone: Phone, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    command(app, "appoint-moderator", phone.user_id)

    decide(app, phone.user_id)

    phone.refresh()
    assert said(session) == [("reinstated", phone.user_id)], "social has them seen again"
    assert "A moderator decided to suspend another moderator, who stays." in caplog.messages
    command(app, "dismiss-moderator", phone.user_id)
    decide(app, phone.user_id)
    assert said(session)[1:] == [("suspended", phone.user_id)]


def test_an_operator_may_suspend_a_moderator(app: Flask, phone: Phone, session: Session) -> None:
    command(app, "appoint-moderator", phone.user_id)

    command(app, "suspend", phone.user_id, "--reason", "abuses the scope")
    decide(app, phone.user_id)

    assert said(session) == [("suspended", phone.user_id)]


@pytest.mark.parametrize(("step", "is_deleted"), list(product((decide, lift), (True, False))))
def test_nothing_happens_to_who_left(
    app: Flask, phone: Phone, session: Session, step: object, is_deleted: bool
) -> None:
    account_id = UUID(phone.user_id)
    if is_deleted:
        session.execute(text("UPDATE accounts SET deleted_at = now(), display_name = '', picture_url = NULL"))
        session.commit()
    else:
        account_id = uuid4()

    {decide: decide, lift: lift}[step](app, account_id)  # type: ignore[index]  # one of the two

    assert said(session) == []
