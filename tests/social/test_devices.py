from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from factories.polling import wait_until
from factories.social_devices import add_device_noise, make_device, make_token
from factories.social_people import LONG_AGO, make_person
from factories.social_posts import deliver
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.jobs import periodic
from igloo_social.models.devices import DEVICES, PUSHES, RETIRED_ENDPOINTS
from igloo_social.operations import devices as operations
from igloo_social.operations.devices import DEVICES_OF_ONE, SILENT_FOR
from igloo_social.schemas.devices import DeviceSchema

T = TypeVar("T")
R = TypeVar("R")
_WAITERS = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


@pytest.fixture
def person(session: Session) -> UUID:
    made = make_person(session)
    add_device_noise(session)
    session.commit()
    return made


def put(client: FlaskClient, person: UUID, device_id: UUID, token: str, **more: object) -> tuple[int, object]:
    body = {"platform": more.pop("platform", "apns"), "token": token}
    reply = client.put(f"/v1/devices/{device_id}", json=body, headers=bearer(person, **more))
    return reply.status_code, reply.get_json()


def devices_of(session: Session, *people: UUID) -> list[Row[tuple[object, ...]]]:
    session.rollback()
    found = select(DEVICES).where(DEVICES.c.user_id.in_(people)).order_by(DEVICES.c.registered_at)
    return list(session.execute(found))


def retired(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(RETIRED_ENDPOINTS.c.arn)))


def _together(work: Callable[[T], R], each: Sequence[T]) -> list[R]:
    """Do the same with everything at once."""
    with ThreadPoolExecutor(len(each)) as pool:
        return list(pool.map(work, each))


def test_a_phone_registers_and_its_token_is_never_shown(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    device_id, session_id, token = new_id(), new_id(), make_token().upper()

    status, shown = put(client, person, device_id, token, session_id=session_id)

    assert isinstance(shown, dict)
    assert (status, DeviceSchema().validate(shown)) == (200, {})
    assert shown.keys() == {"id", "platform", "registered_at"}
    assert (shown["id"], shown["platform"]) == (str(device_id), "apns")
    (device,) = devices_of(session, person)
    assert (device.id, device.session_id, device.token) == (device_id, session_id, token.lower())


def test_a_phone_that_registers_again_is_the_same_with_the_same_endpoint(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    token = make_token()
    device_id = make_device(session, person, token=token, endpoint_arn="arn:here")
    session.commit()

    assert put(client, person, device_id, token)[0] == 200
    assert put(client, person, device_id, token)[0] == 200

    (device,) = devices_of(session, person)
    assert (device.endpoint_arn, retired(session)) == ("arn:here", [])
    assert device.registered_at > LONG_AGO


def test_a_new_token_replaces_the_old_and_retires_its_endpoint(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    device_id = make_device(session, person, endpoint_arn="arn:old")
    session.commit()
    token = make_token()

    assert put(client, person, device_id, token)[0] == 200

    (device,) = devices_of(session, person)
    assert (device.token, device.endpoint_arn) == (token, None)
    assert retired(session) == ["arn:old"]


def test_a_phone_belongs_to_the_last_who_registered_it(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    token, other = make_token(), make_person(session)
    make_device(session, other, token=token, endpoint_arn="arn:of-the-token")
    own = make_device(session, person, endpoint_arn="arn:old")
    session.commit()

    assert put(client, person, own, token)[0] == 200

    (device,) = devices_of(session, person, other)
    assert (device.user_id, device.id, device.endpoint_arn) == (person, own, "arn:of-the-token")
    assert retired(session) == ["arn:old"]


def test_a_token_moves_to_another_id_of_the_same_person(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    token, second = make_token(), new_id()
    make_device(session, person, token=token, endpoint_arn="arn:of-the-token")
    session.commit()

    assert put(client, person, second, token)[0] == 200

    (device,) = devices_of(session, person)
    assert (device.id, device.endpoint_arn, retired(session)) == (second, "arn:of-the-token", [])


def test_the_same_text_is_another_token_on_another_platform(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    token = make_token()

    for platform in ("apns", "apns_sandbox", "fcm"):
        assert put(client, person, new_id(), token, platform=platform)[0] == 200

    assert len(devices_of(session, person)) == 3


def test_the_phone_that_registered_longest_ago_makes_room(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    phones = [
        make_device(session, person, registered_at=LONG_AGO + timedelta(days=day), endpoint_arn=f"arn:{day}")
        for day in range(DEVICES_OF_ONE)
    ]
    session.commit()

    assert put(client, person, phones[3], make_token())[0] == 200
    assert len(devices_of(session, person)) == DEVICES_OF_ONE
    newest = new_id()
    assert put(client, person, newest, make_token())[0] == 200

    left = [device.id for device in devices_of(session, person)]
    assert left == [*phones[1:3], *phones[4:], phones[3], newest]
    assert sorted(retired(session)) == ["arn:0", "arn:3"]


def test_a_phone_is_removed_once_and_again(client: FlaskClient, session: Session, person: UUID) -> None:
    other = make_person(session)
    theirs = make_device(session, other)
    own = make_device(session, person, endpoint_arn="arn:own")
    session.commit()

    for device_id in (own, own, theirs, new_id()):
        reply = client.delete(f"/v1/devices/{device_id}", headers=bearer(person))
        assert (reply.status_code, reply.data) == (204, b"")

    assert [device.id for device in devices_of(session, person, other)] == [theirs]
    assert retired(session) == ["arn:own"]


def test_a_phone_goes_with_the_session_that_registered_it(session: Session, person: UUID) -> None:
    ended, until = new_id(), utc_now() + timedelta(minutes=10)
    make_device(session, person, session_id=ended, endpoint_arn="arn:ended")
    kept = make_device(session, person)
    session.commit()

    for _ in range(2):
        deliver(session, "auth.session.revoked.v1", now=utc_now(), session_id=ended, denied_until=until)
        session.commit()

    assert [device.id for device in devices_of(session, person)] == [kept]
    assert retired(session) == ["arn:ended"]


def test_phones_that_have_not_registered_for_sixty_days_go(
    app: Flask, session: Session, person: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "DEVICES_AT_ONCE", 2)
    edge = utc_now() - SILENT_FOR
    session.execute(DEVICES.delete())
    for number in range(5):
        at = edge - timedelta(seconds=number)
        make_device(session, person, registered_at=at, endpoint_arn=f"arn:{number}")
    kept = make_device(session, person, registered_at=edge + timedelta(minutes=1))
    session.commit()

    with app.app_context():
        periodic.forget_silent_devices()

    assert [device.id for device in devices_of(session, person)] == [kept]
    assert sorted(retired(session)) == [f"arn:{number}" for number in range(5)]


def test_a_session_that_ended_registers_nothing_even_before_every_process_knows(
    app: Flask, client: FlaskClient, session: Session, person: UUID
) -> None:
    # The process has just looked at the denylist, and looks again a second later.
    ended, until = new_id(), utc_now() + timedelta(minutes=10)
    assert put(client, person, new_id(), make_token(), session_id=ended)[0] == 200
    deliver(session, "auth.session.revoked.v1", now=utc_now(), session_id=ended, denied_until=until)
    session.commit()

    status, refusal = put(client, person, new_id(), make_token(), session_id=ended)

    assert isinstance(refusal, dict)
    assert (status, refusal["code"]) == (401, "session_revoked")
    assert devices_of(session, person) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"platform": "apns", "token": "0" * 63}, ("/token", "malformed_token")),
        ({"platform": "apns", "token": "0" * 201}, ("/token", "malformed_token")),
        ({"platform": "apns_sandbox", "token": "g" * 64}, ("/token", "malformed_token")),
        ({"platform": "apns", "token": "\u0660" * 64}, ("/token", "malformed_token")),
        ({"platform": "apns", "token": f"{'0' * 64}\n"}, ("/token", "malformed_token")),
        ({"platform": "fcm", "token": "two words"}, ("/token", "malformed_token")),
        ({"platform": "fcm", "token": "눈토끼"}, ("/token", "malformed_token")),
        ({"platform": "fcm", "token": "x\u007f"}, ("/token", "malformed_token")),
        ({"platform": "fcm", "token": "null\u0000"}, ("/token", "null_character")),
        ({"platform": "fcm", "token": "x" * 4097}, ("/token", "invalid_length")),
        ({"platform": "fcm", "token": ""}, ("/token", "invalid_length")),
        ({"platform": "fcm", "token": 7}, ("/token", "invalid_type")),
        ({"platform": "fcm", "token": None}, ("/token", "null_not_allowed")),
        ({"platform": "fcm"}, ("/token", "required")),
        ({"platform": "pigeon", "token": "x"}, ("/platform", "not_a_choice")),
        ({"token": "x"}, ("/platform", "required")),
        ({"platform": "fcm", "token": "x", "endpoint_arn": "arn:mine"}, ("/endpoint_arn", "unknown_field")),
    ],
)
def test_what_is_no_address_of_a_phone_is_refused(
    client: FlaskClient, session: Session, person: UUID, body: object, problem: tuple[str, str]
) -> None:
    reply = client.put(f"/v1/devices/{new_id()}", json=body, headers=bearer(person))

    (error,) = reply.get_json()["errors"]
    assert (reply.status_code, error["pointer"], error["code"]) == (422, *problem)
    assert devices_of(session, person) == []


def test_an_id_that_is_none_finds_no_route_and_nobody_registers_unknown(client: FlaskClient) -> None:
    body = {"platform": "fcm", "token": "x"}

    assert client.put("/v1/devices/my-phone", json=body).status_code == 404
    assert client.put(f"/v1/devices/{new_id()}", json=body).status_code == 401
    assert client.delete(f"/v1/devices/{new_id()}").status_code == 401


def test_the_longest_tokens_are_taken(client: FlaskClient, session: Session, person: UUID) -> None:
    assert put(client, person, new_id(), "f" * 200)[0] == 200
    assert put(client, person, new_id(), "~" * 4096, platform="fcm")[0] == 200

    assert len(devices_of(session, person)) == 2


def test_two_phones_that_race_for_a_token_and_swap_theirs_leave_it_with_one(
    app: Flask, session: Session
) -> None:
    people = [make_person(session) for _ in range(4)]
    phones, tokens = {person: new_id() for person in people}, [make_token() for _ in range(2)]
    session.commit()
    start = Barrier(len(people))

    def race(person: UUID) -> list[int]:
        client = app.test_client()
        start.wait(timeout=20)
        turn = people.index(person)
        return [put(client, person, phones[person], tokens[(turn + n) % 2])[0] for n in range(12)]

    statuses = _together(race, people)

    assert {status for each in statuses for status in each} == {200}
    held = [device.token for device in devices_of(session, *people)]
    assert len(held) == len(set(held)) <= len(tokens)


def test_who_takes_over_a_token_takes_no_phone_that_has_another_by_now(
    app: Flask, client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving, taking = make_person(session), make_person(session)
    old, new = make_token(), make_token()
    phone = make_device(session, moving, token=old)
    session.commit()
    surplus, moves = operations._surplus, list[Future[tuple[int, object]]]()

    def move_meanwhile(others: Sequence[Any]) -> Sequence[Any]:
        """Have the phone registered with its new token when the other has just found the old one."""
        if not moves:
            moves.append(pool.submit(put, app.test_client(), moving, phone, new))
            wait_until(lambda: moves[0].done() or bool(session.scalar(_WAITERS)), "it is done, or waits")
        return surplus(others)

    monkeypatch.setattr(operations, "_surplus", move_meanwhile)
    with ThreadPoolExecutor(1) as pool:
        assert put(client, taking, new_id(), old)[0] == 200

    assert moves[0].result()[0] == 200
    held = {device.user_id: device.token for device in devices_of(session, moving, taking)}
    assert held == {moving: new, taking: old}


def test_phones_of_one_person_that_register_at_once_stay_within_the_limit(
    app: Flask, session: Session
) -> None:
    person = make_person(session)
    for _ in range(DEVICES_OF_ONE - 1):
        make_device(session, person)
    session.commit()
    start = Barrier(6)

    def race(device_id: UUID) -> int:
        client = app.test_client()
        start.wait(timeout=20)
        return put(client, person, device_id, make_token())[0]

    newest = [new_id() for _ in range(6)]
    assert set(_together(race, newest)) == {200}
    left = {device.id for device in devices_of(session, person)}
    assert len(left) == DEVICES_OF_ONE
    assert set(newest) <= left


def test_a_registration_and_the_end_of_its_session_leave_no_phone(app: Flask, session: Session) -> None:
    person = make_person(session)
    session.commit()
    sessions, until = [new_id() for _ in range(8)], utc_now() + timedelta(minutes=10)
    start = Barrier(2)

    def register(_: object) -> None:
        client = app.test_client()
        for session_id in sessions:
            start.wait(timeout=20)
            assert put(client, person, new_id(), make_token(), session_id=session_id)[0] in {200, 401}

    def end(_: object) -> None:
        with Session(session.get_bind()) as own:
            for session_id in sessions:
                start.wait(timeout=20)
                deliver(
                    own, "auth.session.revoked.v1", now=utc_now(), session_id=session_id, denied_until=until
                )
                own.commit()

    _together(lambda side: side(None), [register, end])

    assert devices_of(session, person) == []
    assert session.scalar(text("SELECT count(*) FROM revoked_sessions")) == len(sessions)
    assert session.scalar(select(PUSHES.c.id).where(PUSHES.c.user_id == person)) is None
