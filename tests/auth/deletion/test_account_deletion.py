"""Deleting an account: what is gone at once, what goes step by step, and what the receipt says of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from auth.deletion.conftest import Erase
from auth.deletion.receipts import deleted, deletion_event, status
from auth.deliveries import erased
from auth.facebook_server import FacebookServer
from auth.outboxes import published
from auth.phones import Phone, ask_token
from igloo_auth.models.account_deletions import AccountDeletion, DeletionStep
from igloo_auth.models.account_exports import AccountExport
from igloo_auth.models.accounts import Account
from igloo_auth.models.facebook_identities import FacebookIdentity
from igloo_auth.models.friend_lookups import FriendLookup
from igloo_auth.models.refresh_tokens import RefreshToken
from igloo_auth.models.security_events import SecurityEvent
from igloo_auth.models.sessions import DeviceSession
from igloo_auth.operations.account_pruning import prune_tombstones
from igloo_auth.operations.pruning import SESSION_RETENTION, prune_sessions
from igloo_auth.schemas.account_deletions import AccountDeletionSchema
from igloo_common.clock import utc_now


def test_a_deletion_is_answered_with_a_receipt_that_anybody_with_its_address_can_read(
    client: FlaskClient, phone: Phone
) -> None:
    answer = phone.delete("/v1/account")

    assert answer.status_code == 202
    receipt = answer.json or {}
    open_step: dict[str, Any] = {"state": "pending", "completed_at": None, "removed": {}}
    assert receipt == {
        "confirmation_code": receipt["confirmation_code"],
        "status_url": f"http://igloo.test/v1/auth/data-deletions/{receipt['confirmation_code']}",
        "state": "pending",
        "account_found": True,
        "requested_at": receipt["requested_at"],
        "completed_at": None,
        "services": {"auth": open_step, "social": open_step, "media": open_step},
    }
    assert AccountDeletionSchema().validate(receipt) == {}
    assert receipt["confirmation_code"].isalnum()
    assert len(receipt["confirmation_code"]) * 4 >= 128
    assert answer.headers["Location"] == receipt["status_url"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert status(client, receipt) == receipt


def test_what_is_left_of_an_account_names_nobody(
    client: FlaskClient, facebook: FacebookServer, session: Session, noise: Phone
) -> None:
    person = facebook.person("Snow Hare")
    phone = Phone.signed_in(client, facebook.token(person), device_name="Hare's phone", platform="ios")
    session.execute(
        update(Account)
        .where(Account.id == phone.user_id)
        .values(is_moderator=True, suspended_at=utc_now(), suspension_reason="bit the Walrus")
    )
    session.commit()

    deleted(phone)

    account = session.get_one(Account, phone.user_id)
    assert (account.display_name, account.picture_url, account.is_moderator) == ("", None, False)
    assert (account.suspended_at, account.suspension_reason) == (None, None)
    assert account.deleted_at is not None
    ended = session.get_one(DeviceSession, phone.session_id)
    assert (ended.device_name, ended.platform, ended.ip_prefix) == (None, None, None)
    assert ended.revoked_reason == "account_deleted"
    assert session.scalars(select(FacebookIdentity.account_id)).all() == [UUID(noise.user_id)]
    assert session.get_one(DeviceSession, noise.session_id).device_name == "Puffin's phone"
    deletion = session.scalars(select(AccountDeletion)).one()
    kept = " ".join(str(value) for value in vars(deletion).values())
    assert person.id not in kept
    assert "Hare" not in kept


def test_the_services_are_told_once_after_the_sessions(phone: Phone, session: Session) -> None:
    receipt = deleted(phone)

    events = [event.type for event in published(session)]
    assert events[-2:] == ["auth.session.revoked.v1", "auth.account.deleted.v1"]
    [revoked] = published(session, "auth.session.revoked.v1")
    assert (revoked.data["session_id"], revoked.data["reason"]) == (phone.session_id, "account_deleted")
    [event] = published(session, "auth.account.deleted.v1")
    assert (event.aggregate_key, event.data) == (
        f"account:{phone.user_id}",
        {
            "account_id": phone.user_id,
            "deletion_id": str(session.scalars(select(AccountDeletion.id)).one()),
            "deleted_at": receipt["requested_at"],
        },
    )


def test_every_phone_of_the_person_is_told_why_it_is_signed_out(
    client: FlaskClient, facebook: FacebookServer, noise: Phone
) -> None:
    person = facebook.person()
    mine, other = (Phone.signed_in(client, facebook.token(person)) for _ in range(2))
    lost_its_answer = other.refresh_token
    other.refresh()

    deleted(mine)

    for refresh_token in (mine.refresh_token, other.refresh_token, lost_its_answer):
        refused = ask_token(client, "refresh_token", refresh_token=refresh_token)
        assert refused.status_code == 400
        problem = refused.json or {}
        assert (problem["error"], problem["code"], problem["reason"]) == (
            "invalid_grant",
            "session_revoked",
            "account_deleted",
        )
    noise.refresh()


def test_the_phones_are_told_why_after_the_erasure_as_well(
    client: FlaskClient, facebook: FacebookServer, phone: Phone, erase: Erase
) -> None:
    lost_its_answer = phone.refresh_token
    phone.refresh()
    deleted(phone)

    assert erase() is True

    for refresh_token in (phone.refresh_token, lost_its_answer):
        problem = ask_token(client, "refresh_token", refresh_token=refresh_token).json or {}
        assert (problem["code"], problem["reason"]) == ("session_revoked", "account_deleted")


def test_asking_twice_gives_the_same_receipt(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    phone, other = (Phone.signed_in(client, facebook.token(person)) for _ in range(2))

    first, second, third = (
        answer.json for answer in (phone.delete("/v1/account") for phone in (phone, phone, other))
    )

    assert first == second == third
    assert len(published(session, "auth.account.deleted.v1")) == 1


def test_twenty_phones_asking_at_once_get_one_receipt(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    phones = [Phone.signed_in(client, facebook.token(person)) for _ in range(20)]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda phone: phone.delete("/v1/account"), phones))

    # Who comes when the denylist is known already is not let in any more, and learns why by refreshing.
    assert {answer.status_code for answer in answers} <= {202, 401}
    codes = {(answer.json or {})["confirmation_code"] for answer in answers if answer.status_code == 202}
    assert len(codes) == 1
    assert len(published(session, "auth.account.deleted.v1")) == 1
    reasons = session.scalars(select(DeviceSession.revoked_reason)).all()
    assert reasons == ["account_deleted"] * 20


def test_signing_in_again_makes_a_new_account_that_the_deletion_does_not_touch(
    client: FlaskClient, facebook: FacebookServer, app: Flask, session: Session, erase: Erase
) -> None:
    person = facebook.person("Snow Hare")
    old = Phone.signed_in(client, facebook.token(person))
    receipt = deleted(old)
    new = Phone.signed_in(client, facebook.token(person), device_name="Hare's new phone")

    erase()
    event = deletion_event(session)
    erased(app, "social", event, posts=1)
    erased(app, "media", event, photos=1)

    assert new.user_id != old.user_id
    assert (new.get("/v1/account").json or {})["display_name"] == "Snow Hare"
    new.refresh()
    kinds = session.scalars(select(SecurityEvent.kind).where(SecurityEvent.account_id == new.user_id)).all()
    assert kinds == ["signed_in"]
    assert status(client, receipt)["state"] == "completed"


def test_auth_erases_all_that_it_holds_and_nothing_of_others(
    client: FlaskClient, facebook: FacebookServer, session: Session, noise: Phone, erase: Erase
) -> None:
    phone = Phone.signed_in(client, facebook.token(facebook.person("Snow Hare")))
    phone.refresh()
    phone.refresh()
    for one in (phone, noise):
        session.execute(
            text(
                "INSERT INTO idempotency_keys (subject, route, key, body_hash, created_at)"
                " VALUES (:subject, 'POST /', 'key', '', now())"
            ),
            {"subject": one.user_id},
        )
    session.commit()
    # The broker has the names that were announced until now, and is away when the person leaves.
    session.execute(text("UPDATE outbox SET published_at = now()"))
    session.commit()
    receipt = deleted(phone)

    assert erase() is True

    step = status(client, receipt)["services"]["auth"]
    assert step["state"] == "completed"
    assert step["removed"] == {
        "security_events": 1,
        "refresh_tokens": 1,
        "authorization_codes": 0,
        "friend_lookups": 0,
        "exports": 0,
        "kept_replies": 1,
        "events": 1,
    }
    session.rollback()
    named = text("SELECT aggregate_key FROM outbox WHERE type = 'auth.account.created.v1'")
    assert session.scalars(named).all() == [f"account:{noise.user_id}"]
    assert session.scalars(select(SecurityEvent.account_id)).all() == [UUID(noise.user_id)]
    assert session.scalars(text("SELECT subject FROM idempotency_keys")).all() == [noise.user_id]
    seals = session.scalars(
        select(RefreshToken.sealed_successor).where(RefreshToken.session_id == phone.session_id)
    )
    assert set(seals.all()) == {None}
    noise.refresh()


def test_the_facebook_token_goes_at_once(phone: Phone, session: Session) -> None:
    before = session.scalars(select(FriendLookup.account_id)).all()
    session.rollback()

    deleted(phone)

    assert before == [UUID(phone.user_id)]
    assert session.scalars(select(FriendLookup.account_id)).all() == []


def test_the_deletion_is_complete_when_the_last_service_is_done(
    client: FlaskClient, phone: Phone, app: Flask, session: Session, erase: Erase
) -> None:
    receipt = deleted(phone)
    event = deletion_event(session)

    erased(app, "media", event, photos=12, renditions=36)
    after_media = status(client, receipt)
    erase()
    after_auth = status(client, receipt)
    erased(app, "social", event, posts=3)
    complete = status(client, receipt)

    assert [seen["state"] for seen in (after_media, after_auth, complete)] == [
        "pending",
        "pending",
        "completed",
    ]
    assert after_media["services"]["media"]["removed"] == {"photos": 12, "renditions": 36}
    assert after_auth["services"]["social"]["state"] == "pending"
    assert complete["services"]["social"]["removed"] == {"posts": 3}
    assert complete["completed_at"] == complete["services"]["social"]["completed_at"]


def test_the_tombstone_goes_with_the_last_session_and_the_receipt_stays(
    client: FlaskClient, phone: Phone, noise: Phone, session: Session, erase: Erase
) -> None:
    receipt = deleted(phone)
    erase()
    later = utc_now() + SESSION_RETENTION

    early = prune_tombstones(session, now=later - timedelta(minutes=1)), prune_tombstones(session, now=later)
    assert prune_sessions(session, now=later) == 1
    assert prune_tombstones(session, now=later) == 1
    session.commit()

    assert early == (0, 0)
    assert session.scalars(select(Account.id)).all() == [UUID(noise.user_id)]
    assert status(client, receipt)["services"]["auth"]["state"] == "completed"
    assert (phone.try_refresh().json or {})["code"] == "refresh_token_invalid"


def test_a_tombstone_stays_for_as_long_as_something_is_to_be_erased(phone: Phone, session: Session) -> None:
    deleted(phone)
    later = utc_now() + SESSION_RETENTION
    prune_sessions(session, now=later)

    assert prune_tombstones(session, now=later) == 0


def test_the_token_of_a_deleted_account_opens_nothing_within_a_second(phone: Phone) -> None:
    deleted(phone)

    answers = [phone.get("/v1/account").status_code for _ in range(3)]

    assert set(answers) <= {401, 404}


def test_a_status_page_of_a_code_that_never_was_is_one_and_the_same_404(client: FlaskClient) -> None:
    answers = [client.get(f"/v1/auth/data-deletions/{code}") for code in ("0" * 40, "x", "'; --", "é" * 9)]

    assert {answer.status_code for answer in answers} == {404}
    problems = [answer.json or {} for answer in answers]
    assert {problem["code"] for problem in problems} == {"deletion_not_found"}
    assert len({problem["detail"] for problem in problems}) == 1


def test_steps_are_there_for_every_service(phone: Phone, session: Session) -> None:
    deleted(phone)

    assert sorted(session.scalars(select(DeletionStep.service))) == ["auth", "media", "social"]
    assert session.scalars(select(AccountExport)).all() == []
