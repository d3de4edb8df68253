"""Deletions beside sign-ins, refreshes, other deletions, and events that come late or twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.deletion.conftest import Erase
from auth.deletion.receipts import deleted, deletion_event, status
from auth.deliveries import erased
from auth.facebook_server import FacebookServer
from auth.phones import Phone, ask_token
from factories.waiting import wait_for_a_waiter
from igloo_auth.models.account_deletions import DeletionSource
from igloo_auth.models.accounts import Account
from igloo_auth.models.facebook_identities import FacebookIdentity
from igloo_auth.models.security_events import SecurityEventKind
from igloo_auth.models.sessions import DeviceSession
from igloo_auth.operations.account_deletions import complete_deletion_step, delete_account
from igloo_auth.operations.account_erasure import erase_account
from igloo_auth.operations.accounts import FacebookPerson, find_or_create_account
from igloo_auth.operations.security_events import record_security_event
from igloo_auth.operations.sign_ins import AccountDeleted
from igloo_auth.settings import TokenLifetimes
from igloo_common.clock import utc_now

LIFETIMES = TokenLifetimes(access_seconds=600, refresh_seconds=3600, reuse_grace_seconds=60)


SECRET_KEY = "a-test-key-that-opens-nothing-anywhere"


def test_services_that_finish_at_the_same_moment_complete_the_deletion(
    client: FlaskClient, phone: Phone, app: Flask, session: Session, erase: Erase
) -> None:
    receipt = deleted(phone)
    event = deletion_event(session)
    erase()
    ids = {name: UUID(event[name]) for name in ("deletion_id", "account_id")}
    complete_deletion_step(session, **ids, service="social", removed={"posts": 1}, now=utc_now())

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(erased, app, "media", event, photos=1)
        wait_for_a_waiter(session, effort)
        session.commit()
        effort.result()

    assert status(client, receipt)["state"] == "completed"


def test_repeated_and_late_events_change_nothing(
    phone: Phone, noise: Phone, app: Flask, session: Session, erase: Erase
) -> None:
    client, receipt = phone.client, deleted(phone)
    event = deletion_event(session)
    erase()
    for service in ("social", "media"):
        erased(app, service, event, things=1)
    complete = status(client, receipt)

    for service in ("social", "media", "social"):
        erased(app, service, event, things=99)
    erased(app, "social", {**event, "deletion_id": phone.session_id}, things=99)
    erased(app, "media", {**event, "account_id": noise.user_id}, things=99)

    assert erase() is False
    assert status(client, receipt) == complete


def test_an_event_that_names_another_account_completes_nothing(
    client: FlaskClient, phone: Phone, noise: Phone, app: Flask, session: Session
) -> None:
    receipt = deleted(phone)

    erased(app, "social", {**deletion_event(session), "account_id": noise.user_id}, posts=1)

    assert status(client, receipt) == receipt


def test_an_erasure_that_died_before_it_was_recorded_is_done_again_and_counted_whole(
    client: FlaskClient, phone: Phone, app: Flask, session: Session, erase: Erase
) -> None:
    receipt = deleted(phone)
    deletion_id = UUID(deletion_event(session)["deletion_id"])
    assert erase_account(session, deletion_id=deletion_id, account_id=UUID(phone.user_id), now=utc_now())
    session.rollback()
    assert status(client, receipt) == receipt

    assert erase() is True

    assert status(client, receipt)["services"]["auth"]["removed"]["security_events"] == 1


def test_the_deletion_waits_for_a_sign_in_that_is_under_way_and_ends_its_session(
    app: Flask, phone: Phone, session: Session
) -> None:
    session.execute(select(Account.id).where(Account.id == phone.user_id).with_for_update(read=True))
    late = DeviceSession(
        id=UUID("01900000-0000-7000-8000-000000000001"),
        account_id=UUID(phone.user_id),
        created_at=utc_now(),
        last_seen_at=utc_now(),
        expires_at=utc_now() + timedelta(hours=1),
    )
    session.add(late)
    session.flush()

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(phone.delete, "/v1/account")
        wait_for_a_waiter(session, effort)  # type: ignore[arg-type]  # whatever it answers
        session.commit()
        assert effort.result().status_code == 202

    session.refresh(late)
    assert late.revoked_reason == "account_deleted"


def test_a_sign_in_that_waits_for_the_deletion_is_refused_and_the_next_one_makes_a_new_account(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person("Snow Hare")
    phone = Phone.signed_in(client, facebook.token(person))
    token = facebook.token(person)
    delete_account(
        session,
        account_id=UUID(phone.user_id),
        source=DeletionSource.OWNER,
        secret_key=SECRET_KEY,
        lifetimes=LIFETIMES,
        now=utc_now(),
    )

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(ask_token, client, "facebook_access_token", facebook_access_token=token)
        wait_for_a_waiter(session, effort)  # type: ignore[arg-type]  # whatever it answers
        session.commit()
        refused = effort.result()

    assert (refused.status_code, (refused.json or {})["code"]) == (400, AccountDeleted.code)
    assert Phone.signed_in(client, token).user_id != phone.user_id


def test_a_changed_name_never_reaches_a_tombstone(
    app: Flask, facebook: FacebookServer, client: FlaskClient, session: Session
) -> None:
    person = facebook.person("Snow Hare")
    phone = Phone.signed_in(client, facebook.token(person))
    changed = FacebookPerson(facebook_user_id=person.id, display_name="Arctic Hare", picture_url=None)
    delete_account(
        session,
        account_id=UUID(phone.user_id),
        source=DeletionSource.OWNER,
        secret_key=SECRET_KEY,
        lifetimes=LIFETIMES,
        now=utc_now(),
    )

    def follow() -> UUID:
        engine = app.extensions["sqlalchemy"].engine
        with Session(engine) as other, other.begin():
            return find_or_create_account(other, person=changed, now=utc_now())

    with app.app_context(), ThreadPoolExecutor(1) as pool:
        effort = pool.submit(_in_context, app, follow)
        wait_for_a_waiter(session, effort)
        session.commit()
        effort.result()

    assert session.get_one(Account, phone.user_id).display_name == ""


def _in_context(app: Flask, do: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is done
    with app.app_context():
        return do()


def test_refreshes_and_sign_ins_racing_with_a_deletion_leave_nobody_signed_in(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    phones = [Phone.signed_in(client, facebook.token(person)) for _ in range(8)]
    old_account = UUID(phones[0].user_id)
    token = facebook.token(person)

    def sign_in(_: Phone) -> int:
        return ask_token(client, "facebook_access_token", facebook_access_token=token).status_code

    with ThreadPoolExecutor(17) as pool:
        refreshes = [pool.submit(phone.try_refresh) for phone in phones]
        deletion = pool.submit(phones[0].delete, "/v1/account")
        sign_ins = [pool.submit(sign_in, phone) for phone in phones]
        answers = [effort.result().status_code for effort in refreshes]
        statuses = [effort.result() for effort in sign_ins]
        assert deletion.result().status_code == 202

    assert set(answers) | set(statuses) <= {200, 400}
    live = session.scalar(
        select(func.count())
        .select_from(DeviceSession)
        .where(DeviceSession.account_id == old_account, DeviceSession.revoked_at.is_(None))
    )
    assert live == 0
    assert session.scalar(select(func.count()).select_from(FacebookIdentity)) <= 1  # type: ignore[operator]


def test_who_writes_to_the_trail_under_a_sessions_lock_does_not_deadlock_with_the_deletion(
    phone: Phone, session: Session
) -> None:
    session.get_one(DeviceSession, phone.session_id, with_for_update=True)

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(phone.delete, "/v1/account")
        wait_for_a_waiter(session, effort)  # type: ignore[arg-type]  # whatever it answers
        record_security_event(
            session,
            account_id=UUID(phone.user_id),
            kind=SecurityEventKind.REFRESH_TOKEN_REUSED,
            now=utc_now(),
        )
        session.commit()
        assert effort.result().status_code == 202
