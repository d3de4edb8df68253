"""What happens when Facebook says that a person removed our app, or wants their data deleted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.facebook_server import OTHER_APP, FacebookServer
from auth.outboxes import published
from auth.phones import Phone
from auth.signed import signed_request
from igloo_auth.facebook.graph import FacebookGraph
from igloo_auth.jobs.friend_lookups import FriendLane
from igloo_auth.models.account_deletions import AccountDeletion
from igloo_auth.models.accounts import Account
from igloo_auth.models.facebook_identities import FacebookIdentity
from igloo_auth.models.friend_lookups import FriendLookup
from igloo_auth.models.security_events import SecurityEvent
from igloo_auth.models.sessions import DeviceSession
from igloo_auth.models.web_sign_ins import AuthorizationCode
from igloo_auth.settings import Settings
from igloo_common.clock import utc_now
from igloo_common.web import provided
from igloo_local.facebook.people import Person

DEAUTHORIZE = "/v1/auth/facebook/deauthorize"
DATA_DELETION = "/v1/auth/facebook/data-deletion"
BOTH = pytest.mark.parametrize("path", [DEAUTHORIZE, DATA_DELETION])


def tell(client: FlaskClient, path: str, text: str) -> TestResponse:
    """Call back as Facebook does."""
    return client.post(path, data={"signed_request": text})


@pytest.fixture
def person(facebook: FacebookServer) -> Person:
    """Somebody at Facebook."""
    return facebook.person("Snow Hare")


@pytest.fixture
def phone(client: FlaskClient, facebook: FacebookServer, person: Person) -> Phone:
    """Their phone."""
    return Phone.signed_in(client, facebook.token(person))


@pytest.fixture
def noise(client: FlaskClient, facebook: FacebookServer) -> Phone:
    """Sign in somebody whom none of it concerns."""
    return Phone.signed_in(client, facebook.token(facebook.person("Puffin")))


def made_older(session: Session, phone: Phone, age: timedelta) -> None:
    """Let the account and its sessions have begun earlier."""
    for table in (Account, DeviceSession):
        session.execute(update(table).values(created_at=table.created_at - age))
    session.execute(
        update(FacebookIdentity)
        .where(FacebookIdentity.account_id == phone.user_id)
        .values(linked_at=FacebookIdentity.linked_at - age)
    )
    session.commit()


def test_who_removed_the_app_is_signed_out_everywhere_and_keeps_the_account(
    client: FlaskClient, facebook: FacebookServer, person: Person, phone: Phone, noise: Phone
) -> None:
    other = Phone.signed_in(client, facebook.token(person))

    answer = tell(client, DEAUTHORIZE, signed_request(person.id))

    assert (answer.status_code, answer.json) == (200, {})
    for device in (phone, other):
        problem = device.try_refresh().json or {}
        assert (problem["code"], problem["reason"]) == ("session_revoked", "facebook_deauthorized")
    noise.refresh()
    again = Phone.signed_in(client, facebook.token(person))
    assert again.user_id == phone.user_id
    trail = again.get("/v1/account/security-events").json or {}
    assert "facebook_deauthorized" in {event["kind"] for event in trail["data"]}


def test_whom_facebook_named_as_friends_goes_with_the_app_and_whom_it_named_since_stays(
    client: FlaskClient, app: Flask, person: Person, phone: Phone, session: Session
) -> None:
    with app.app_context():
        lane = FriendLane(graph=provided(FacebookGraph), secret_key=provided(Settings).common.secret_key)
        while lane.step():
            pass

    for age in (timedelta(minutes=10), timedelta(0)):
        tell(client, DEAUTHORIZE, signed_request(person.id, issued_at=utc_now() - age))

    events = [event.data for event in published(session, "auth.friends.found.v1")]
    found, replayed, removed = [event for event in events if event["account_id"] == phone.user_id]
    assert (replayed["friend_ids"], removed["friend_ids"]) == ([], [])
    # As of when Facebook spoke: whoever keeps the list knows by it which of two is the later one.
    assert replayed["found_at"] < found["found_at"] <= removed["found_at"]


def test_the_removal_is_written_into_the_trail_once(
    client: FlaskClient, person: Person, phone: Phone, noise: Phone, session: Session
) -> None:
    text = signed_request(person.id)

    for _ in range(3):
        assert tell(client, DEAUTHORIZE, text).status_code == 200

    events = session.execute(
        select(SecurityEvent.account_id, SecurityEvent.details).where(
            SecurityEvent.kind == "facebook_deauthorized"
        )
    ).all()
    assert [tuple(event) for event in events] == [(UUID(phone.user_id), {"sessions": "1"})]


def test_a_replayed_removal_does_not_sign_out_who_came_back(
    client: FlaskClient, facebook: FacebookServer, person: Person, phone: Phone, session: Session
) -> None:
    made_older(session, phone, timedelta(minutes=30))
    text = signed_request(person.id, issued_at=utc_now() - timedelta(minutes=10))
    tell(client, DEAUTHORIZE, text)
    back = Phone.signed_in(client, facebook.token(person))
    lookups = session.scalar(select(func.count()).select_from(FriendLookup))
    session.rollback()

    assert tell(client, DEAUTHORIZE, text).status_code == 200

    assert (phone.try_refresh().json or {})["reason"] == "facebook_deauthorized"
    back.refresh()
    assert session.scalar(select(func.count()).select_from(FriendLookup)) == lookups == 1


def test_a_code_on_its_way_to_an_app_is_taken_back_by_the_removal(
    client: FlaskClient, person: Person, phone: Phone, session: Session
) -> None:
    now = utc_now()
    for name, issued_at in ((b"before", now), (b"after", now + timedelta(seconds=5))):
        session.add(
            AuthorizationCode(
                code_hash=name,
                client_id="-",
                redirect_uri="-",
                code_challenge="-",
                account_id=UUID(phone.user_id),
                issued_at=issued_at,
                expires_at=now + timedelta(minutes=1),
            )
        )
    session.commit()

    tell(client, DEAUTHORIZE, signed_request(person.id, issued_at=now))

    assert session.scalars(select(AuthorizationCode.code_hash)).all() == [b"after"]


def test_a_removal_by_somebody_unknown_is_answered_alike(
    client: FlaskClient, phone: Phone, session: Session
) -> None:
    answer = tell(client, DEAUTHORIZE, signed_request("99999"))

    assert (answer.status_code, answer.json) == (200, {})
    phone.refresh()
    assert published(session, "auth.session.revoked.v1") == []


def test_a_deletion_by_way_of_facebook_is_the_same_deletion(
    client: FlaskClient, person: Person, phone: Phone, noise: Phone, session: Session
) -> None:
    answer = tell(client, DATA_DELETION, signed_request(person.id))

    assert answer.status_code == 200
    body = answer.json or {}
    # Exactly these two, and a code of letters and digits: Facebook's page about the callback.
    assert set(body) == {"url", "confirmation_code"}
    assert body["confirmation_code"].isalnum()
    assert body["url"] == f"http://igloo.test/v1/auth/data-deletions/{body['confirmation_code']}"
    receipt = client.get(body["url"].removeprefix("http://igloo.test")).json or {}
    assert (receipt["state"], receipt["account_found"]) == ("pending", True)
    [event] = published(session, "auth.account.deleted.v1")
    assert event.data["account_id"] == phone.user_id
    assert session.scalars(select(AccountDeletion.source)).one() == "facebook"
    assert (phone.try_refresh().json or {})["reason"] == "account_deleted"
    noise.refresh()


def test_the_same_request_again_gives_the_same_code(
    client: FlaskClient, person: Person, phone: Phone, session: Session
) -> None:
    text = signed_request(person.id)

    answers = [tell(client, DATA_DELETION, text).json for _ in range(3)]
    later = tell(client, DATA_DELETION, signed_request(person.id, issued_at=utc_now())).json

    assert answers[0] == answers[1] == answers[2] == later
    assert len(published(session, "auth.account.deleted.v1")) == 1


def test_who_deleted_the_account_in_the_app_gets_that_receipt_from_facebook_too(
    client: FlaskClient, person: Person, phone: Phone
) -> None:
    receipt = phone.delete("/v1/account").json or {}

    answer = tell(client, DATA_DELETION, signed_request(person.id)).json or {}

    assert answer["confirmation_code"] == receipt["confirmation_code"]


def test_a_replayed_request_does_not_delete_the_account_that_was_made_since(
    client: FlaskClient, facebook: FacebookServer, person: Person, phone: Phone, session: Session
) -> None:
    made_older(session, phone, timedelta(minutes=30))
    text = signed_request(person.id, issued_at=utc_now() - timedelta(minutes=10))
    first = tell(client, DATA_DELETION, text).json
    back = Phone.signed_in(client, facebook.token(person))

    again = tell(client, DATA_DELETION, text).json

    assert again == first
    assert back.user_id != phone.user_id
    back.refresh()
    assert [event.data["account_id"] for event in published(session, "auth.account.deleted.v1")] == [
        phone.user_id
    ]


def test_a_request_that_comes_late_for_the_first_time_spares_a_younger_account_as_well(
    client: FlaskClient, person: Person, phone: Phone
) -> None:
    answer = tell(
        client, DATA_DELETION, signed_request(person.id, issued_at=utc_now() - timedelta(minutes=10))
    )

    receipt = client.get((answer.json or {})["url"].removeprefix("http://igloo.test")).json or {}
    assert (receipt["state"], receipt["account_found"]) == ("completed", False)
    phone.refresh()


def test_who_comes_back_and_asks_anew_is_deleted_anew(
    client: FlaskClient, facebook: FacebookServer, person: Person, phone: Phone, session: Session
) -> None:
    first = tell(client, DATA_DELETION, signed_request(person.id)).json
    back = Phone.signed_in(client, facebook.token(person))

    second = tell(client, DATA_DELETION, signed_request(person.id)).json

    assert second != first
    assert (back.try_refresh().json or {})["reason"] == "account_deleted"
    assert len(published(session, "auth.account.deleted.v1")) == 2


def test_of_somebody_unknown_nothing_was_held_and_the_page_says_so(
    client: FlaskClient, phone: Phone, session: Session
) -> None:
    answer = tell(client, DATA_DELETION, signed_request("99999")).json or {}
    other = tell(client, DATA_DELETION, signed_request("88888")).json or {}
    again = tell(client, DATA_DELETION, signed_request("99999")).json or {}

    receipt = client.get(answer["url"].removeprefix("http://igloo.test")).json or {}
    assert (receipt["state"], receipt["account_found"]) == ("completed", False)
    assert {step["state"] for step in receipt["services"].values()} == {"completed"}
    assert again == answer != other
    assert published(session, "auth.account.deleted.v1") == []
    phone.refresh()


def test_requests_about_one_unknown_person_at_once_get_one_code(
    client: FlaskClient, session: Session
) -> None:
    text = signed_request("99999")

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: tell(client, DATA_DELETION, text).json, range(12)))

    assert all(answer == answers[0] for answer in answers)
    assert session.scalar(select(func.count()).select_from(AccountDeletion)) == 1


def test_facebook_and_the_owner_asking_at_once_get_one_deletion(
    client: FlaskClient, person: Person, phone: Phone, session: Session
) -> None:
    with ThreadPoolExecutor(2) as pool:
        by_facebook = pool.submit(tell, client, DATA_DELETION, signed_request(person.id))
        by_owner = pool.submit(phone.delete, "/v1/account")
        codes = {
            (effort.result().json or {}).get("confirmation_code", effort.result().status_code)
            for effort in (by_facebook, by_owner)
        }

    assert len(codes - {401}) == 1
    assert session.scalar(select(func.count()).select_from(AccountDeletion)) == 1


def test_no_facebook_id_is_left_in_the_clear(
    client: FlaskClient, person: Person, phone: Phone, session: Session
) -> None:
    tell(client, DATA_DELETION, signed_request(person.id))

    [kept] = session.scalars(select(AccountDeletion.facebook_user_hash)).all()
    assert kept is not None
    assert len(kept) == 32
    assert person.id.encode() not in kept
    assert session.scalars(select(FacebookIdentity)).all() == []


REFUSED: dict[str, Callable[[str], tuple[str, str]]] = {
    "forged": lambda person: (signed_request(person, secret=OTHER_APP[1]), "forged"),
    "another algorithm": lambda person: (signed_request(person, algorithm="none"), "algorithm"),
    "too old": lambda person: (signed_request(person, issued_at=utc_now() - timedelta(hours=2)), "expired"),
    "too early": lambda person: (
        signed_request(person, issued_at=utc_now() + timedelta(hours=1)),
        "not_yet_valid",
    ),
    "nothing": lambda person: ("", "malformed"),
    "a JWT": lambda person: ("eyJhbGciOiJub25lIn0.e30.", "malformed"),
}


@BOTH
@pytest.mark.parametrize("kind", REFUSED)
def test_what_facebook_did_not_sign_is_refused_and_changes_nothing(
    person: Person, phone: Phone, session: Session, path: str, kind: str
) -> None:
    text, reason = REFUSED[kind](person.id)

    answer = tell(phone.client, path, text)

    problem = answer.json or {}
    assert (answer.status_code, problem["code"], problem["reason"]) == (400, "signed_request_invalid", reason)
    assert answer.content_type == "application/problem+json"
    phone.refresh()
    assert session.scalars(select(AccountDeletion)).all() == []


@BOTH
def test_a_request_without_the_form_is_refused_alike(client: FlaskClient, path: str) -> None:
    text = signed_request()
    attempts = [
        client.post(path),
        client.post(path, json={"signed_request": text}),
        client.post(path, data={"other": text}),
        client.post(path, data={"signed_request": [text, text]}),
        client.post(f"{path}?signed_request={text}"),
    ]

    assert {answer.status_code for answer in attempts} == {400}
    assert {((answer.json or {})["code"], (answer.json or {})["reason"]) for answer in attempts} == {
        ("signed_request_invalid", "malformed")
    }


@BOTH
def test_an_oversize_body_is_not_even_read(client: FlaskClient, path: str) -> None:
    answer = tell(client, path, "a" * 20_000)

    assert (answer.status_code, (answer.json or {})["code"]) == (413, "too_large")


@BOTH
def test_the_callbacks_take_nothing_but_post(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 405
