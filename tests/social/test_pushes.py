"""The way of a push: queued with the news, sent by any worker, dropped once it is pointless."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from prometheus_client import REGISTRY
from sqlalchemy import Row, Table, insert, select, text, update
from sqlalchemy.orm import Session

from factories.social_devices import add_device_noise, make_device, make_token
from factories.social_people import make_people, make_person, relate
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.jobs import pushes as jobs
from igloo_social.jobs.pushes import EndpointLane, PushLane, measure_pushes
from igloo_social.models.devices import DEVICES, PUSHES, RETIRED_ENDPOINTS, DevicePlatform
from igloo_social.models.notifications import NOTIFICATION_PREFERENCES, NOTIFICATIONS, READ_MARKERS
from igloo_social.models.profiles import PROFILES
from igloo_social.operations.notifications import notify
from igloo_social.operations.pushes import LEASE, WORTH_SENDING_FOR
from igloo_social.push import sns as adapter
from igloo_social.push.sns import PushService
from social.sns_server import SnsServer, running_sns


@pytest.fixture(scope="module")
def server() -> Iterator[SnsServer]:
    with running_sns() as running:
        yield running


@dataclass(kw_only=True)
class Room:
    """A person, and SNS with a worker's lane that pushes through it."""

    app: Flask
    session: Session
    sns: SnsServer
    lane: PushLane
    person: UUID

    def phone(self, **columns: Any) -> UUID:  # noqa: ANN401 - any columns
        """Register a phone of the person."""
        device_id = make_device(self.session, self.person, **columns)
        self.session.commit()
        return device_id

    def tell(self, *, name: str = "Puffin", **more: Any) -> UUID:  # noqa: ANN401 - of notify
        """Have somebody like a post, save where more is said, and return who did it."""
        actor_id: UUID = more.pop("actor_id", None) or make_person(self.session, display_name=name)
        post_id = more.pop("post_id", None) or new_id()
        fact = {"kind": "like", "object_id": post_id, "post_id": post_id, "now": utc_now(), **more}
        notify(self.session, **{"recipient_id": self.person, "actor_id": actor_id, **fact})
        self.session.commit()
        return actor_id

    def run(self, lane: PushLane | None = None) -> int:
        """Send what is due, and return how many pushes were worked on."""
        with self.app.app_context():
            return next(steps for steps in range(1_000) if not (lane or self.lane).step())

    def clear(self) -> bool:
        """Delete the next endpoint that nobody uses."""
        with self.app.app_context():
            return EndpointLane(self.lane.service).step()

    def change(self, table: Table, **values: object) -> None:
        """Change all rows of the person's in a table."""
        self.session.execute(update(table).where(table.c.user_id == self.person).values(values))
        self.session.commit()

    def waiting(self) -> list[Row[tuple[UUID, int, datetime]]]:
        """Read the person's pushes."""
        self.session.rollback()
        found = select(PUSHES.c.device_id, PUSHES.c.attempts, PUSHES.c.due_at)
        return list(self.session.execute(found.where(PUSHES.c.user_id == self.person)))

    def endpoints(self) -> dict[UUID, str | None]:
        """Read the ARNs of the person's phones, by their ids."""
        self.session.rollback()
        found = select(DEVICES.c.id, DEVICES.c.endpoint_arn).where(DEVICES.c.user_id == self.person)
        return {row.id: row.endpoint_arn for row in self.session.execute(found)}


@pytest.fixture
def room(app: Flask, session: Session, server: SnsServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setattr(adapter, "_ATTEMPTS", 1)
    add_device_noise(session)
    person = make_person(session)
    session.commit()
    lane = PushLane(PushService(server.settings(), connections=4))
    yield Room(app=app, session=session, sns=server, lane=lane, person=person)
    server.empty()


@pytest.fixture
def phone(room: Room) -> UUID:
    return room.phone()


def dropped(reason: str) -> float:
    return REGISTRY.get_sample_value("igloo_pushes_dropped_total", {"reason": reason}) or 0.0


def test_news_is_queued_once_for_each_phone_and_for_nobody_without_one(room: Room) -> None:
    phones = {room.phone(), room.phone(platform="fcm", token="token")}
    without, post_id = make_person(room.session), new_id()

    actor = room.tell(post_id=post_id)
    room.tell(post_id=post_id, actor_id=actor)
    room.tell(recipient_id=without)

    assert {device_id for device_id, _, _ in room.waiting()} == phones
    assert len(room.waiting()) == len(phones)
    assert room.session.scalar(select(PUSHES.c.id).where(PUSHES.c.user_id == without)) is None


@pytest.mark.parametrize(("delivery", "queued"), [("push", 1), ("list", 0), ("off", 0)])
def test_news_of_a_kind_is_queued_as_its_recipient_wants(
    room: Room, phone: UUID, delivery: str, *, queued: int
) -> None:
    for kind, chosen in (("like", delivery), ("follow", "off")):
        preference = {"user_id": room.person, "kind": kind, "delivery": chosen}
        room.session.execute(insert(NOTIFICATION_PREFERENCES).values(preference))

    room.tell()

    assert [device_id for device_id, _, _ in room.waiting()] == [phone] * queued


def test_a_push_reaches_the_phone_once_and_its_endpoint_is_kept(room: Room, phone: UUID) -> None:
    post_id = new_id()
    room.tell(post_id=post_id)

    assert room.run() == 1

    (push,) = room.sns.published
    assert push.endpoint_arn == room.endpoints()[phone]
    assert push.payload["post_id"] == str(post_id)
    assert push.payload["aps"]["alert"] == {"loc-key": "notification_like_one", "loc-args": ["Puffin"]}
    assert push.payload["aps"]["badge"] == 1
    assert room.waiting() == []
    room.tell()
    room.run()
    assert len(room.sns.published) == 2
    assert room.sns.calls.count("CreatePlatformEndpoint") == 1


def test_each_platform_is_reached_through_its_own_application(room: Room) -> None:
    for platform in ("apns", "apns_sandbox", "fcm"):
        room.phone(platform=platform)
    room.tell()

    room.run()

    assert {(push.kind, push.endpoint_arn.split("/")[1]) for push in room.sns.published} == {
        (kind, kind) for kind in ("APNS", "APNS_SANDBOX", "GCM")
    }


@pytest.mark.usefixtures("phone")
def test_likes_that_wait_together_are_one_push_and_the_next_takes_its_place_in_silence(room: Room) -> None:
    post_id = new_id()
    for name in ("Puffin", "Arctic Fox", "Snow Hare"):
        room.tell(post_id=post_id, name=name)
    room.tell(kind="follow", object_id=None, post_id=None)

    assert room.run() == 2
    room.tell(post_id=post_id, name="눈토끼")
    room.run()

    first, follow, second = room.sns.published
    assert first.payload["aps"]["alert"]["loc-args"] == ["Snow Hare", "2"]
    assert second.payload["aps"]["alert"]["loc-args"] == ["눈토끼", "3"]
    assert ("sound" in first.payload["aps"], "sound" in second.payload["aps"]) == (True, False)
    collapse = [push.attributes["AWS.SNS.MOBILE.APNS.COLLAPSE_ID"] for push in room.sns.published]
    assert collapse[0] == collapse[2] != collapse[1]
    assert follow.payload["kind"] == "follow"


def _take_back(room: Room, _: UUID) -> None:
    room.session.execute(NOTIFICATIONS.delete().where(NOTIFICATIONS.c.recipient_id == room.person))


def _read(room: Room, _: UUID) -> None:
    room.session.execute(insert(READ_MARKERS).values(recipient_id=room.person, read_until=utc_now()))


def _mute(room: Room, actor: UUID) -> None:
    relate(room.session, room.person, "m", actor)


def _block(room: Room, actor: UUID) -> None:
    relate(room.session, actor, "b", room.person)


def _suspend_actor(room: Room, actor: UUID) -> None:
    suspended = update(PROFILES).where(PROFILES.c.user_id == actor).values(suspended_at=utc_now())
    room.session.execute(suspended)


def _switch_off(room: Room, _: UUID) -> None:
    preference = {"user_id": room.person, "kind": "like", "delivery": "list"}
    room.session.execute(insert(NOTIFICATION_PREFERENCES).values(preference))


def _unregister(room: Room, _: UUID) -> None:
    room.session.execute(DEVICES.delete().where(DEVICES.c.user_id == room.person))


def _delete_person(room: Room, _: UUID) -> None:
    room.change(PROFILES, deleted_at=utc_now())


def _wait_too_long(room: Room, _: UUID) -> None:
    room.change(PUSHES, created_at=utc_now() - WORTH_SENDING_FOR)


@pytest.mark.parametrize(
    ("becomes_pointless", "reason"),
    [
        (_take_back, "taken_back"),
        (_read, "read_or_hidden"),
        (_mute, "read_or_hidden"),
        (_block, "read_or_hidden"),
        (_suspend_actor, "read_or_hidden"),
        (_switch_off, "switched_off"),
        (_unregister, "no_device"),
        (_delete_person, "no_device"),
        (_wait_too_long, "too_old"),
    ],
)
@pytest.mark.usefixtures("phone")
def test_what_has_become_pointless_is_not_sent(
    room: Room, becomes_pointless: Callable[[Room, UUID], None], *, reason: str
) -> None:
    actor, before = room.tell(), dropped(reason)
    becomes_pointless(room, actor)
    room.session.commit()

    assert room.run() == 1

    assert (room.waiting(), room.sns.calls, dropped(reason) - before) == ([], [], 1.0)


def test_where_nothing_is_configured_what_is_queued_goes_and_phones_stay(room: Room, phone: UUID) -> None:
    room.tell()
    nothing = PushLane(PushService(replace(room.sns.settings(), applications={}), connections=1))

    room.run(nothing)

    assert (room.waiting(), room.sns.calls) == ([], [])
    assert list(room.endpoints()) == [phone]


def test_a_platform_that_is_not_configured_keeps_no_other_waiting(room: Room, phone: UUID) -> None:
    room.phone(platform="fcm", token="token")
    room.tell()
    apple_alone = PushLane(PushService(room.sns.settings("apns"), connections=1))

    assert room.run(apple_alone) == 2

    assert [push.endpoint_arn for push in room.sns.published] == [room.endpoints()[phone]]
    assert room.waiting() == []


@pytest.mark.usefixtures("phone")
def test_a_worker_that_dies_after_sending_has_it_sent_again_in_the_same_place(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.tell()

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as killed:
        killed.setattr(jobs, "_finish", die)
        with pytest.raises(SystemExit):
            room.run()
    assert room.run() == 0, "it has its lease"
    ((_, attempts, due_at),) = room.waiting()
    assert (attempts, due_at > utc_now() + LEASE / 2) == (1, True)
    room.change(PUSHES, due_at=utc_now())

    assert room.run() == 1

    first, second = room.sns.published
    assert first == second
    assert room.waiting() == []


def test_workers_side_by_side_send_each_push_once(room: Room) -> None:
    people = make_people(room.session, 12)
    for person in people:
        make_device(room.session, person)
        room.tell(recipient_id=person)
    lanes = [room.lane, PushLane(PushService(room.sns.settings(), connections=4))]

    with ThreadPoolExecutor(4) as pool:
        worked = list(pool.map(room.run, lanes * 2))

    assert sum(worked) == len(people)
    assert len({push.endpoint_arn for push in room.sns.published}) == len(room.sns.published) == len(people)


@pytest.mark.usefixtures("phone")
def test_no_transaction_is_open_while_sns_is_asked(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.tell()
    open_ones: list[int] = []
    idle = text("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")

    def look(*_: object) -> str:
        # The look itself is active, and in no other's transaction.
        open_ones.append(room.session.scalars(idle).one())
        room.session.rollback()
        return "arn:aws:sns:us-east-1:123456789012:endpoint/APNS/igloo/looked"

    monkeypatch.setattr(room.lane.service, "endpoint_for", look)
    monkeypatch.setattr(room.lane.service, "publish", look)
    room.run()

    assert open_ones == [0, 0]


@pytest.mark.parametrize("code", ["EndpointDisabled", "InvalidParameter"])
def test_a_phone_that_its_platform_does_not_know_goes_and_its_endpoint_is_deleted(
    room: Room, phone: UUID, *, code: str
) -> None:
    kept = room.phone(platform="fcm", token="token")
    room.tell()
    room.run()
    arn = room.endpoints()[phone]
    assert arn is not None
    if code == "EndpointDisabled":
        room.sns.disable(arn)
    else:
        room.session.execute(update(DEVICES).where(DEVICES.c.id == phone).values(endpoint_arn=None))
        room.sns.fail(
            "CreatePlatformEndpoint", code, words="Invalid parameter: Token Reason: not one of ours"
        )
    room.tell()

    room.run()

    assert (list(room.endpoints()), room.waiting()) == ([kept], [])
    assert room.clear() is (code == "EndpointDisabled")
    assert (arn in room.sns.tokens()) is (code != "EndpointDisabled")
    assert room.endpoints()[kept] in room.sns.tokens()


def test_a_phone_that_registered_again_meanwhile_stays(
    room: Room, phone: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.tell()
    send = room.lane.service.publish

    def register_and_send(*given: Any) -> None:  # noqa: ANN401 - as publish takes them
        room.change(DEVICES, registered_at=utc_now())
        send(*given)

    monkeypatch.setattr(room.lane.service, "publish", register_and_send)
    room.sns.fail("Publish", "EndpointDisabled")
    room.run()

    assert list(room.endpoints()) == [phone]


def test_an_endpoint_that_is_gone_is_made_anew(room: Room, phone: UUID) -> None:
    gone = "arn:aws:sns:us-east-1:123456789012:endpoint/APNS/igloo/gone"
    room.change(DEVICES, endpoint_arn=gone)
    room.tell()

    room.run()
    assert len(room.waiting()) == 1
    room.change(PUSHES, due_at=utc_now())
    room.run()

    assert room.endpoints()[phone] in room.sns.tokens()
    assert (len(room.sns.published), room.waiting()) == (2, [])


@pytest.mark.parametrize(
    ("code", "status", "at_least"),
    [("Throttling", 400, 0), ("InternalError", 500, 0), ("AuthorizationError", 403, 60)],
)
@pytest.mark.usefixtures("phone")
def test_trouble_with_sns_puts_a_push_off_and_is_logged_once(
    room: Room, caplog: pytest.LogCaptureFixture, *, code: str, status: int, at_least: int
) -> None:
    room.tell()
    room.tell()
    for _ in range(2):
        room.sns.fail("Publish", code, status)

    before = utc_now()
    with caplog.at_level(logging.INFO):
        assert room.run() == 2
        pauses = [due_at - before for _, _, due_at in room.waiting()]
        room.change(PUSHES, due_at=utc_now())
        assert room.run() == 2

    assert all(timedelta(seconds=at_least) < pause < timedelta(seconds=at_least + 60) for pause in pauses)
    ours = [record.getMessage() for record in caplog.records if record.name == jobs.__name__]
    assert ours == ["Pushes wait for SNS.", "SNS takes pushes again."]
    assert room.waiting() == []
    assert not any(token in caplog.text for token in room.sns.tokens().values())


def test_a_message_that_is_refused_is_our_fault_and_costs_no_phone(room: Room, phone: UUID) -> None:
    room.tell()
    room.sns.fail("Publish", "InvalidParameter", words="Invalid parameter: Message Reason: Invalid")

    room.run()

    assert room.waiting() == []
    assert list(room.endpoints()) == [phone]


@pytest.mark.usefixtures("phone")
def test_what_nobody_foresaw_puts_off_its_push_and_no_other(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.tell()
    with monkeypatch.context() as broken:
        broken.setattr(jobs, "message_for", lambda *_: 1 / 0)
        assert room.run() == 1
    room.tell()

    assert room.run() == 1
    assert (len(room.sns.published), len(room.waiting())) == (1, 1)


def test_an_endpoint_without_a_phone_is_deleted_when_sns_is_there_again(room: Room) -> None:
    arn = room.lane.service.endpoint_for(DevicePlatform.APNS, make_token())
    room.session.execute(insert(RETIRED_ENDPOINTS).values(arn=arn, due_at=utc_now()))
    room.session.commit()
    room.sns.fail("DeleteEndpoint", "Throttling")

    assert room.clear() is False
    assert arn in room.sns.tokens()
    room.session.execute(update(RETIRED_ENDPOINTS).values(due_at=utc_now()))
    room.session.commit()
    assert [room.clear(), room.clear()] == [True, False]

    assert room.sns.tokens() == {}
    assert room.session.scalars(select(RETIRED_ENDPOINTS.c.arn)).all() == []


def test_an_endpoint_that_is_in_use_again_is_not_deleted(room: Room) -> None:
    token = make_token()
    arn = room.lane.service.endpoint_for(DevicePlatform.APNS, token)
    room.session.execute(insert(RETIRED_ENDPOINTS).values(arn=arn, due_at=utc_now()))
    room.phone(token=token)
    room.tell()

    room.run()

    assert room.clear() is False
    assert room.sns.tokens() == {arn: token}


@pytest.mark.usefixtures("phone")
def test_what_waits_is_measured(room: Room) -> None:
    room.session.execute(PUSHES.delete())
    room.tell(now=utc_now() - timedelta(minutes=5))

    with room.app.app_context():
        assert measure_pushes() is False

    assert REGISTRY.get_sample_value("igloo_pushes_waiting") == 1
    assert 299 < (REGISTRY.get_sample_value("igloo_pushes_oldest_seconds") or 0) < 400
