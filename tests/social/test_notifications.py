from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, make_people, make_person, relate
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.models.notifications import NOTIFICATIONS
from igloo_social.models.profiles import PROFILES
from igloo_social.operations import notifications
from igloo_social.queries import notifications as queries
from igloo_social.schemas.notifications import (
    NotificationsPageSchema,
    ReadMarkerStatusSchema,
    UnreadCountSchema,
)


@pytest.fixture
def person(session: Session) -> UUID:
    made, *strangers = make_people(session, 3)
    tell(session, strangers[0], actor=strangers[1])
    session.commit()
    return made


def tell(
    session: Session, recipient: UUID, *, actor: UUID | None, at: datetime = LONG_AGO, kind: str = "like"
) -> UUID:
    """Tell something about a new thing, and return the thing's id."""
    object_id = new_id()
    notifications.notify(
        session,
        recipient_id=recipient,
        kind=kind,
        actor_id=actor,
        object_id=object_id,
        post_id=object_id,
        now=at,
    )
    return object_id


def unread(client: FlaskClient, person: UUID) -> int:
    reply = client.get("/v1/notifications/unread-count", headers=bearer(person)).get_json()
    assert UnreadCountSchema().validate(reply) == {}
    count: int = reply["unread_count"]
    return count


def test_notifications_come_last_first_and_page(client: FlaskClient, session: Session, person: UUID) -> None:
    actor = make_person(session, username="hare")
    told = [tell(session, person, actor=actor, at=LONG_AGO + timedelta(seconds=n)) for n in range(5)]
    session.commit()

    pages = [client.get("/v1/notifications?limit=2", headers=bearer(person)).get_json()]
    while cursor := pages[-1]["page"]["next_cursor"]:
        address = f"/v1/notifications?limit=2&cursor={cursor}"
        pages.append(client.get(address, headers=bearer(person)).get_json())

    shown = [entry for page in pages for entry in page["data"]]
    assert NotificationsPageSchema().validate(pages[0]) == {}
    assert [entry["post_id"] for entry in shown] == [str(object_id) for object_id in told[::-1]]
    assert shown[0]["actor"]["username"] == "hare"
    assert (shown[0]["kind"], shown[0]["read"]) == ("like", False)


def test_a_follow_is_about_nobody_but_the_actor_and_a_failure_about_no_actor(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    actor = make_person(session)
    post_id = tell(session, person, actor=None, kind="post_failed", at=LONG_AGO + timedelta(days=1))
    for _ in range(2):
        notifications.notify(
            session, recipient_id=person, kind="follow", actor_id=actor, object_id=None, now=LONG_AGO
        )
    session.commit()

    failed, follow = client.get("/v1/notifications", headers=bearer(person)).get_json()["data"]

    assert (failed["kind"], failed["actor"], failed["post_id"]) == ("post_failed", None, str(post_id))
    assert (follow["kind"], follow["actor"]["id"], follow["post_id"]) == ("follow", str(actor), None)


def test_what_hidden_or_deleted_people_did_is_not_told(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    blocked, blocking, deleted, fine = make_people(session, 4)
    for actor in (blocked, blocking, deleted, fine):
        tell(session, person, actor=actor)
    relate(session, person, "b", blocked)
    relate(session, blocking, "b", person)
    session.execute(update(PROFILES).where(PROFILES.c.user_id == deleted).values(deleted_at=LONG_AGO))
    session.commit()

    shown = client.get("/v1/notifications", headers=bearer(person)).get_json()["data"]

    assert [entry["actor"]["id"] for entry in shown] == [str(fine)]
    assert unread(client, person) == 1


def test_the_read_marker_moves_forward_only(client: FlaskClient, session: Session, person: UUID) -> None:
    actor = make_person(session)
    for seconds in range(3):
        tell(session, person, actor=actor, at=LONG_AGO + timedelta(seconds=seconds))
    session.commit()

    def mark(seconds: int) -> tuple[int, str | int]:
        body = {"read_until": (LONG_AGO + timedelta(seconds=seconds)).isoformat()}
        reply = client.put("/v1/notifications/read-marker", json=body, headers=bearer(person))
        said = reply.get_json()
        if reply.status_code == 200:
            assert ReadMarkerStatusSchema().validate(said) == {}
            return 200, said["unread_count"]
        return reply.status_code, said["code"]

    assert unread(client, person) == 3
    assert mark(1) == (200, 1)
    assert mark(1) == (200, 1)
    assert mark(0) == (409, "read_marker_stale")
    shown = client.get("/v1/notifications", headers=bearer(person)).get_json()["data"]
    assert [entry["read"] for entry in shown] == [False, True, True]
    assert mark(2) == (200, 0)
    assert unread(client, person) == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"read_until": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, "read_marker_in_future"),
        ({"read_until": "2025-01-01T00:00:00"}, "validation_failed"),
        ({"read_until": "yesterday"}, "validation_failed"),
        ({}, "validation_failed"),
    ],
)
def test_a_marker_that_makes_no_sense_is_refused(
    client: FlaskClient, person: UUID, body: dict[str, str], code: str
) -> None:
    reply = client.put("/v1/notifications/read-marker", json=body, headers=bearer(person))

    assert (reply.status_code, reply.get_json()["code"]) == (422, code)


def test_the_count_stops_where_no_badge_goes_on(client: FlaskClient, session: Session, person: UUID) -> None:
    actor = make_person(session)
    for _ in range(queries.UNREAD_COUNTED_AT_MOST + 1):
        tell(session, person, actor=actor)
    session.commit()

    assert unread(client, person) == queries.UNREAD_COUNTED_AT_MOST


def test_what_is_taken_back_between_two_people_leaves_the_others(session: Session, person: UUID) -> None:
    other, third = make_people(session, 2)
    tell(session, person, actor=other)
    tell(session, other, actor=person)
    kept = tell(session, person, actor=third)

    notifications.remove_between(session, person, other)

    left = session.scalars(
        NOTIFICATIONS.select()
        .with_only_columns(NOTIFICATIONS.c.object_id)
        .where(NOTIFICATIONS.c.recipient_id.in_((person, other)))
    ).all()
    assert left == [kept]
