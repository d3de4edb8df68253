"""Friends: asked for by the worker, published as accounts; the token is kept for minutes, and sealed."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from auth.facebook_server import Answer, FacebookServer, answering, proof_of
from auth.outboxes import Published, published
from auth.phones import Phone, ask_token
from auth.processes import WORKER, free_port, running, stopped
from factories.waiting import eventually
from igloo_auth.facebook.graph import FacebookGraph
from igloo_auth.jobs.friend_lookups import FriendLane
from igloo_auth.models.accounts import Account
from igloo_auth.models.friend_lookups import FriendLookup
from igloo_auth.operations.friend_lookups import (
    LEASE,
    TOKEN_KEPT_FOR,
    claim_friend_lookup,
    finish_friend_lookup,
    request_friend_lookup,
)
from igloo_auth.operations.token_seals import SealBroken, open_token, seal_token
from igloo_common.clock import utc_now
from igloo_common.web import provided
from igloo_local.facebook.people import Person
from igloo_local.facebook.permissions import PUBLIC_PROFILE

KEY = "a-test-key-that-opens-nothing-anywhere"
FOUND = "auth.friends.found.v1"
JSON = "application/json"


@pytest.fixture
def lane(app: Flask) -> FriendLane:
    """Return the worker's lane, to be stepped by hand inside an app context."""
    with app.app_context():
        return FriendLane(graph=provided(FacebookGraph), secret_key=KEY)


def work(app: Flask, lane: FriendLane) -> int:
    """Let the lane work until nothing is due; return how many turns it took."""
    turns = 0
    with app.app_context():
        while lane.step():
            turns += 1
    return turns


def lookups(session: Session) -> list[FriendLookup]:
    session.rollback()
    session.expire_all()
    return list(session.scalars(select(FriendLookup)))


def bring_forward(session: Session, **to: datetime) -> None:
    """Change when a look-up is due, as waiting would."""
    session.execute(update(FriendLookup).values(**to))
    session.commit()


def befriended(facebook: FacebookServer, person: Person, *names: str) -> list[Person]:
    friends = [facebook.person(name) for name in names]
    for friend in friends:
        facebook.directory.people.befriend(person.id, friend.id)
    return friends


def test_the_friends_who_are_here_are_published_as_accounts(
    app: Flask, client: FlaskClient, facebook: FacebookServer, session: Session, lane: FriendLane
) -> None:
    hare = facebook.person("Snow Hare")
    puffin, lynx, _ = befriended(facebook, hare, "Puffin", "Lynx", "Not Here")
    known = [Phone.signed_in(client, facebook.token(person)) for person in (puffin, lynx)]
    Phone.signed_in(client, facebook.token(facebook.person("Noise")))
    work(app, lane)
    phone = Phone.signed_in(client, facebook.token(hare))

    assert work(app, lane) == 1

    event = published(session, FOUND)[-1]
    assert event.aggregate_key == f"friends:{phone.user_id}"
    assert event.data["account_id"] == phone.user_id
    assert event.data["friend_ids"] == sorted(friend.user_id for friend in known)
    assert lookups(session) == []


def test_nobody_found_is_published_as_well(
    app: Flask, phone: Phone, session: Session, lane: FriendLane
) -> None:
    assert work(app, lane) == 1

    [event] = published(session, FOUND)
    assert (event.data["account_id"], event.data["friend_ids"]) == (phone.user_id, [])


def test_the_sign_in_does_not_ask_for_friends_itself(facebook: FacebookServer, phone: Phone) -> None:
    assert facebook.asked("/friends") == []


def test_every_page_is_read_and_each_call_proves_the_app_secret(  # noqa: PLR0917 - fixtures
    app: Flask,
    client: FlaskClient,
    facebook: FacebookServer,
    session: Session,
    lane: FriendLane,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("igloo_auth.facebook.graph.FRIENDS_A_PAGE", 2)
    hare = facebook.person("Snow Hare")
    friends = befriended(facebook, hare, "Auk", "Eider", "Lynx", "Orca", "Tern")
    phones = [Phone.signed_in(client, facebook.token(friend)) for friend in friends]
    work(app, lane)
    facebook.calls.clear()
    token = facebook.token(hare)
    Phone.signed_in(client, token)

    work(app, lane)

    assert published(session, FOUND)[-1].data["friend_ids"] == sorted(phone.user_id for phone in phones)
    calls = facebook.asked("/me/friends")
    assert [call.query.get("after") is None for call in calls] == [True, False, False]
    assert {call.query["appsecret_proof"] for call in calls} == {proof_of(token)}


def test_a_token_that_may_not_ask_for_friends_is_not_kept(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.directory.people.add(
        app_id=facebook.person().app_id, name="Lynx", permissions=[PUBLIC_PROFILE]
    )

    Phone.signed_in(client, facebook.token(person))

    assert lookups(session) == []
    # There is nothing to take back.
    assert published(session, FOUND) == []


def test_who_takes_the_permission_back_has_no_friends_here_any_more(
    app: Flask, client: FlaskClient, facebook: FacebookServer, session: Session, lane: FriendLane
) -> None:
    hare = facebook.person("Snow Hare")
    [puffin] = befriended(facebook, hare, "Puffin")
    friend = Phone.signed_in(client, facebook.token(puffin))
    phone = Phone.signed_in(client, facebook.token(hare))
    work(app, lane)
    facebook.directory.people.permit(hare.id, [PUBLIC_PROFILE])

    Phone.signed_in(client, facebook.token(facebook.directory.people.get(hare.id) or hare))

    *_, before, after = [event.data for event in published(session, FOUND)]
    assert (before["account_id"], before["friend_ids"]) == (phone.user_id, [friend.user_id])
    assert (after["account_id"], after["friend_ids"]) == (phone.user_id, [])
    assert after["found_at"] > before["found_at"]


def test_a_sign_in_that_is_refused_keeps_no_token(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    Phone.signed_in(client, facebook.token(person))
    session.execute(text("DELETE FROM friend_lookups"))
    session.execute(text("UPDATE accounts SET suspended_at = now(), suspension_reason = 'spam'"))
    session.commit()

    answer = ask_token(client, "facebook_access_token", facebook_access_token=facebook.token(person))

    assert (answer.json or {})["code"] == "account_suspended"
    assert lookups(session) == []


def test_no_table_no_event_and_no_log_holds_the_token(  # noqa: PLR0917 - fixtures
    app: Flask,
    client: FlaskClient,
    facebook: FacebookServer,
    session: Session,
    lane: FriendLane,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    token = facebook.token(facebook.person())
    Phone.signed_in(client, token)
    assert lookups(session) != []
    kept = _everything_kept(session)
    facebook.answer("/me/friends", *[answering(500, f'{{"error": {{"message": "{token}"}}}}', JSON)] * 2)
    work(app, lane)
    kept += _everything_kept(session)
    bring_forward(session, due_at=utc_now())
    facebook.answer(
        "/me/friends", answering(400, f'{{"error": {{"code": 190, "message": "Malformed {token}"}}}}', JSON)
    )

    work(app, lane)

    formatter = logging.Formatter()
    written = "".join(formatter.format(record) + repr(vars(record)) for record in caplog.records)
    assert "friends are not looked up" in written
    for secret in (token, token.encode().hex()):
        assert secret not in kept + _everything_kept(session)
        assert secret not in written


def _everything_kept(session: Session) -> str:
    """Return every row of every table of the service, bytes as hex and as what they spell."""
    session.rollback()
    tables = session.scalars(
        text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    ).all()
    assert {"friend_lookups", "outbox", "security_events"} <= set(tables)
    rows = [
        row
        for table in tables
        for row in session.execute(text(f'SELECT * FROM "{table}"')).all()  # noqa: S608 - our own tables
    ]
    spelled = [bytes(value).decode(errors="replace") for row in rows for value in row if _is_bytes(value)]
    hexed = [bytes(value).hex() for row in rows for value in row if _is_bytes(value)]
    return repr(rows) + "".join(spelled) + "".join(hexed)


def _is_bytes(value: object) -> bool:
    return isinstance(value, bytes | memoryview)


def test_a_seal_is_opened_by_its_key_alone() -> None:
    sealed = seal_token("EAAtoken", secret_key=KEY)

    assert sealed != seal_token("EAAtoken", secret_key=KEY)
    assert open_token(sealed, secret_key=KEY) == "EAAtoken"
    for broken, key in ((sealed, KEY + "2"), (sealed[:-4] + b"AAAA", KEY), (b"", KEY)):
        with pytest.raises(SealBroken):
            open_token(broken, secret_key=key)


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        (answering(500, "", JSON), 5),
        (answering(200, "<html>", "text/html"), 30),
        (answering(200, '{"data": "none"}', JSON), 30),
        (answering(400, '{"error": {"code": 4}}', JSON), 60),
    ],
    ids=["500", "HTML", "another shape", "throttled"],
)
def test_a_failure_that_passes_puts_the_look_up_off(  # noqa: PLR0917 - fixtures, and the columns of the table
    app: Flask,
    facebook: FacebookServer,
    phone: Phone,
    session: Session,
    lane: FriendLane,
    answer: Answer,
    pause: int,
) -> None:
    facebook.answer("/me/friends", answer, answer)
    before = utc_now()

    assert work(app, lane) == 1

    [lookup] = lookups(session)
    waits = lookup.due_at - before
    assert timedelta(seconds=pause) <= waits < LEASE
    assert (lookup.attempts, published(session, FOUND)) == (1, [])


def test_when_facebook_is_back_the_friends_are_found(
    app: Flask, facebook: FacebookServer, phone: Phone, session: Session, lane: FriendLane
) -> None:
    facebook.answer("/me/friends", *[answering(503, "")] * 2)
    assert work(app, lane) == 1
    assert published(session, FOUND) == []
    bring_forward(session, due_at=utc_now())

    assert work(app, lane) == 1

    assert len(published(session, FOUND)) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ('{"code": 190, "error_subcode": 463}', "expired"),
        ('{"code": 190, "error_subcode": 458}', "not_valid"),
        ('{"code": 200}', "not_permitted"),
        ('{"code": 10}', "not_permitted"),
    ],
    ids=["expired", "app removed", "permission taken back", "never permitted"],
)
def test_a_token_that_is_dead_is_forgotten_at_once(  # noqa: PLR0917 - likewise
    app: Flask,
    facebook: FacebookServer,
    phone: Phone,
    session: Session,
    lane: FriendLane,
    caplog: pytest.LogCaptureFixture,
    error: str,
    reason: str,
) -> None:
    facebook.answer("/me/friends", answering(400, f'{{"error": {error}}}', JSON))

    assert work(app, lane) == 1

    assert (lookups(session), published(session, FOUND)) == ([], [])
    [record] = caplog.records
    assert (vars(record)["reason"], str(vars(record)["account_id"])) == (reason, phone.user_id)


def test_after_a_quarter_of_an_hour_the_token_goes_unused(  # noqa: PLR0917 - fixtures
    app: Flask,
    facebook: FacebookServer,
    phone: Phone,
    session: Session,
    lane: FriendLane,
    caplog: pytest.LogCaptureFixture,
) -> None:
    [lookup] = lookups(session)
    assert lookup.expires_at - lookup.due_at == TOKEN_KEPT_FOR
    bring_forward(session, expires_at=utc_now())

    assert work(app, lane) == 1

    assert (lookups(session), facebook.asked("/me/friends")) == ([], [])
    assert [vars(record)["reason"] for record in caplog.records] == ["expired"]


def test_a_look_up_that_is_put_off_is_due_again_at_the_latest_when_it_expires(
    app: Flask, facebook: FacebookServer, phone: Phone, session: Session, lane: FriendLane
) -> None:
    soon = utc_now() + timedelta(seconds=2)
    bring_forward(session, expires_at=soon)
    facebook.answer("/me/friends", *[answering(500, "")] * 2)

    work(app, lane)

    assert [lookup.due_at for lookup in lookups(session)] == [soon]


def test_a_token_sealed_under_another_key_is_forgotten(
    app: Flask, phone: Phone, session: Session, lane: FriendLane
) -> None:
    session.execute(update(FriendLookup).values(sealed_token=seal_token("EAA", secret_key=KEY + "2")))
    session.commit()

    assert work(app, lane) == 1
    assert lookups(session) == []


def test_two_workers_never_make_the_same_look_up(
    app: Flask, client: FlaskClient, facebook: FacebookServer, session: Session, lane: FriendLane
) -> None:
    for _ in range(6):
        Phone.signed_in(client, facebook.token(facebook.person()))
    facebook.calls.clear()
    begin = threading.Barrier(4)

    def worker(_: int) -> int:
        begin.wait(timeout=10)
        return work(app, lane)

    with ThreadPoolExecutor(4) as pool:
        turns = list(pool.map(worker, range(4)))

    assert sum(turns) == len(facebook.asked("/me/friends")) == len(published(session, FOUND)) == 6


def test_a_worker_that_dies_leaves_the_look_up_to_another_after_the_lease(
    phone: Phone, session: Session
) -> None:
    now = utc_now()
    first = claim_friend_lookup(session, now=now)
    session.commit()

    assert first is not None
    assert claim_friend_lookup(session, now=now + LEASE - timedelta(seconds=1)) is None
    second = claim_friend_lookup(session, now=now + LEASE)
    assert second is not None
    assert (second.account_id, second.attempts) == (first.account_id, 2)
    assert not finish_friend_lookup(session, first, facebook_user_ids=(), now=now)
    assert finish_friend_lookup(session, second, facebook_user_ids=(), now=now)


def test_a_later_sign_in_takes_the_place_of_the_token_that_is_being_used(
    phone: Phone, session: Session
) -> None:
    now = utc_now()
    account_id = UUID(phone.user_id)
    overtaken = claim_friend_lookup(session, now=now)
    request_friend_lookup(session, account_id=account_id, token="EAAnew", secret_key=KEY, now=now)

    assert overtaken is not None
    assert not finish_friend_lookup(session, overtaken, facebook_user_ids=(), now=now)
    latest = claim_friend_lookup(session, now=now)
    assert latest is not None
    assert open_token(latest.sealed_token, secret_key=KEY) == "EAAnew"
    assert latest.attempts == 1


def test_nothing_is_published_of_an_account_that_is_gone(
    app: Flask, phone: Phone, session: Session, lane: FriendLane
) -> None:
    session.execute(
        update(Account).values(deleted_at=utc_now(), display_name="", picture_url=None, is_moderator=False)
    )
    session.commit()

    work(app, lane)

    assert (lookups(session), published(session, FOUND)) == ([], [])


def test_an_account_that_is_gone_is_no_friend_any_more(
    app: Flask, client: FlaskClient, facebook: FacebookServer, session: Session, lane: FriendLane
) -> None:
    hare = facebook.person("Snow Hare")
    puffin, lynx = befriended(facebook, hare, "Puffin", "Lynx")
    gone, here = (Phone.signed_in(client, facebook.token(person)) for person in (puffin, lynx))
    session.execute(
        update(Account)
        .where(Account.id == UUID(gone.user_id))
        .values(deleted_at=utc_now(), display_name="", picture_url=None)
    )
    session.execute(text("DELETE FROM friend_lookups"))
    session.commit()
    Phone.signed_in(client, facebook.token(hare))

    work(app, lane)

    [event] = published(session, FOUND)
    assert event.data["friend_ids"] == [here.user_id]


def test_the_worker_looks_for_friends_soon_after_the_sign_in(
    environ: dict[str, str], client: FlaskClient, facebook: FacebookServer, session: Session, tmp_path: Path
) -> None:
    port = free_port()
    environ = {
        **environ,
        "IGLOO_WORKER_PORT": str(port),
        "IGLOO_BROKER_URL": f"filesystem://{tmp_path}/broker",
    }

    def found() -> list[Published]:
        return published(session, FOUND)

    with running(WORKER, environ, ready_at=f"http://127.0.0.1:{port}/readyz") as process:
        phone = Phone.signed_in(client, facebook.token(facebook.person()))
        [event] = eventually(found, what="the friends are published")
        assert stopped(process) == 0

    assert event.data["account_id"] == phone.user_id
