from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from factories.social_events import relation_changes
from factories.social_people import LONG_AGO, add_noise, make_people, make_person, relate
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.jobs.periodic import JOBS
from igloo_social.schemas.mutes import MutedPeoplePageSchema
from igloo_social.schemas.relations import RelationshipSchema

YEAR_SECONDS = 365 * 24 * 3600


def mute(client: FlaskClient, viewer: UUID, user_id: UUID, body: object = None) -> dict[str, Any]:
    given = {} if body is None else {"json": body}
    reply = client.put(f"/v1/users/{user_id}/mute", headers=bearer(viewer), **given)
    assert reply.status_code == 200, reply.text
    content: dict[str, Any] = reply.get_json()
    assert RelationshipSchema().load(content)
    return content


def muted(client: FlaskClient, viewer: UUID) -> list[dict[str, Any]]:
    content = client.get("/v1/users/me/mutes", headers=bearer(viewer)).get_json()
    assert MutedPeoplePageSchema().load(content)
    people: list[dict[str, Any]] = content["data"]
    return people


def relationship(client: FlaskClient, viewer: UUID, user_id: UUID) -> dict[str, Any]:
    """Read it in both ways, which have to agree."""
    content: dict[str, Any] = client.get(f"/v1/users/{user_id}", headers=bearer(viewer)).get_json()
    batch = client.get("/v1/relationships", query_string={"user_id": user_id}, headers=bearer(viewer))
    assert batch.get_json()["data"] == [content["relationship"]]
    found: dict[str, Any] = content["relationship"]
    return found


def end(session: Session, viewer: UUID, user_id: UUID, *, at: datetime) -> None:
    """Move the end of a mute, as time would."""
    session.execute(
        text(
            "UPDATE relations SET expires_at = :at WHERE (from_user, to_user, relation_type) = (:a, :b, 'm')"
        ),
        {"at": at, "a": viewer, "b": user_id},
    )
    session.commit()


def run_the_job(app: Flask) -> None:
    (job,) = [job for job in JOBS if job.name == "end-mutes"]
    with app.app_context():
        job.run()


def test_a_mute_without_a_body_is_for_good(client: FlaskClient, session: Session) -> None:
    a, b, other = make_people(session, 3)
    relate(session, a, "f", b)
    relate(session, other, "m", a)
    session.commit()

    replies = [mute(client, a, b), mute(client, a, b, {}), mute(client, a, b, {"duration_seconds": None})]

    assert replies[0] == {
        "user_id": str(b),
        "following": True,
        "requested": False,
        "followed_by": False,
        "blocking": False,
        "muting": True,
        "muting_until": None,
    }
    assert replies == [replies[0]] * 3
    assert relationship(client, a, b) == replies[0]
    assert relation_changes(session) == [(str(a), "m", str(b), "created")]


def test_a_mute_for_a_while_says_when_it_ends_and_the_next_one_moves_that(
    client: FlaskClient, session: Session
) -> None:
    a, b = make_people(session, 2)
    add_noise(session, a, b)
    session.commit()
    before = utc_now()

    for seconds in (60, YEAR_SECONDS, 3600):
        told = mute(client, a, b, {"duration_seconds": seconds})

        until = datetime.fromisoformat(told["muting_until"])
        assert timedelta(seconds=seconds) <= until - before < timedelta(seconds=seconds + 60)
        assert relationship(client, a, b) == told
    assert mute(client, a, b)["muting_until"] is None
    assert relationship(client, a, b)["muting_until"] is None
    assert relation_changes(session) == [(str(a), "m", str(b), "created")]


@pytest.mark.parametrize("seconds", [59, 0, -60, YEAR_SECONDS + 1, 1.5, 60.0, "60", True, [], 10**30])
def test_a_mute_lasts_from_a_minute_to_a_year(client: FlaskClient, session: Session, seconds: object) -> None:
    a, b = make_people(session, 2)
    session.commit()

    reply = client.put(f"/v1/users/{b}/mute", json={"duration_seconds": seconds}, headers=bearer(a))

    assert reply.status_code == 422
    assert [error["pointer"] for error in reply.get_json()["errors"]] == ["/duration_seconds"]
    assert relation_changes(session) == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"expires_at": null}', "application/json", 422),
        (b"{}", "text/plain", 415),
    ],
)
def test_a_body_that_says_something_else_is_refused(
    client: FlaskClient, session: Session, body: bytes, content_type: str, status: int
) -> None:
    a, b = make_people(session, 2)
    session.commit()

    reply = client.put(f"/v1/users/{b}/mute", data=body, content_type=content_type, headers=bearer(a))

    assert reply.status_code == status


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_nobody_mutes_themselves_or_a_stranger(client: FlaskClient, session: Session, method: str) -> None:
    a, blocker, gone, suspended = (
        make_person(session),
        make_person(session),
        make_person(session, deleted_at=LONG_AGO),
        make_person(session, suspended_at=LONG_AGO),
    )
    relate(session, blocker, "b", a)
    session.commit()

    def answer(user_id: UUID) -> tuple[int, str]:
        reply = client.open(f"/v1/users/{user_id}/mute", method=method, headers=bearer(a))
        return reply.status_code, reply.get_json()["code"]

    assert answer(a) == (422, "self_relation")
    for unknown in (blocker, gone, suspended, new_id()):
        assert answer(unknown) == (404, "user_not_found")
    assert client.open(f"/v1/users/{blocker}/mute", method=method).status_code == 401


def test_an_unmute_ends_it_at_once_and_again_changes_nothing(client: FlaskClient, session: Session) -> None:
    a, b = make_people(session, 2)
    add_noise(session, a, b)
    session.commit()
    mute(client, a, b, {"duration_seconds": 3600})

    replies = [client.delete(f"/v1/users/{b}/mute", headers=bearer(a)) for _ in range(2)]

    assert [(reply.status_code, reply.get_json()["muting"]) for reply in replies] == [(200, False)] * 2
    assert relationship(client, a, b)["muting"] is False
    assert [change for *_, change in relation_changes(session)] == ["created", "removed"]


def test_ones_mutes_are_listed_for_oneself_alone_the_latest_first(
    client: FlaskClient, session: Session
) -> None:
    a, first, second, over, blocked, blocker, muter = make_people(session, 7)
    for kind in "frb":
        relate(session, a, kind, make_person(session))
    relate(session, muter, "m", a)
    relate(session, blocker, "b", a)
    relate(session, a, "b", blocked)
    relate(session, a, "m", blocked, at=LONG_AGO)
    relate(session, a, "m", blocker, at=LONG_AGO)
    relate(session, a, "m", make_person(session, suspended_at=LONG_AGO))
    session.commit()
    for other in (first, second, over):
        mute(client, a, other, {"duration_seconds": 60})
    later = mute(client, a, first, {"duration_seconds": 120})["muting_until"]
    end(session, a, over, at=utc_now())

    listed = muted(client, a)

    assert [person["id"] for person in listed] == [str(second), str(first), str(blocked)]
    assert [person["muting_until"] for person in listed][1:] == [later, None]
    assert muted(client, first) == []


def test_a_mute_whose_time_is_up_counts_for_nothing_though_nobody_has_removed_it(
    client: FlaskClient, session: Session
) -> None:
    a, b = make_people(session, 2)
    relate(session, a, "f", b)
    session.commit()
    mute(client, a, b, {"duration_seconds": 60})
    end(session, a, b, at=utc_now())

    found = relationship(client, a, b)

    assert (found["muting"], found["muting_until"], found["following"]) == (False, None, True)
    assert muted(client, a) == []
    assert client.delete(f"/v1/users/{b}/follow", headers=bearer(a)).get_json()["muting"] is False


def test_who_mutes_again_after_the_end_begins_anew(client: FlaskClient, session: Session) -> None:
    a, b = make_people(session, 2)
    session.commit()
    mute(client, a, b, {"duration_seconds": 60})
    end(session, a, b, at=utc_now())

    assert mute(client, a, b)["muting"] is True

    assert relationship(client, a, b)["muting"] is True
    assert [change for *_, change in relation_changes(session)] == ["created", "removed", "created"]


def test_the_job_removes_the_mutes_whose_time_is_up_and_says_so(
    app: Flask, client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("igloo_social.jobs.periodic.MUTES_AT_ONCE", 2)
    a, *others = make_people(session, 6)
    gone = make_person(session)
    add_noise(session, a, *others)
    session.commit()
    for other in (*others, gone):
        mute(client, a, other, {"duration_seconds": 60})
    for other in (*others[:3], gone):
        end(session, a, other, at=utc_now())
    mute(client, a, others[4])
    session.execute(text("UPDATE profiles SET deleted_at = now() WHERE user_id = :id"), {"id": gone})
    session.commit()
    announced = len(relation_changes(session))

    run_the_job(app)

    assert {person["id"] for person in muted(client, a)} >= {str(other) for other in others[3:]}
    assert sorted(relation_changes(session)[announced:]) == sorted(
        (str(a), "m", str(other), "removed") for other in others[:3]
    )
    left = session.execute(text("SELECT to_user FROM relations WHERE expires_at <= now()")).scalars().all()
    assert left == [gone]  # The erasure of the account removes it.


def test_a_block_leaves_a_mute_as_it_is(client: FlaskClient, session: Session) -> None:
    a, b = make_people(session, 2)
    session.commit()
    until = mute(client, a, b, {"duration_seconds": 3600})["muting_until"]

    blocked = client.put(f"/v1/users/{b}/block", headers=bearer(a)).get_json()

    assert (blocked["blocking"], blocked["muting"], blocked["muting_until"]) == (True, True, until)
    assert relationship(client, a, b) == blocked


def test_the_muted_person_never_learns_of_it(client: FlaskClient, session: Session) -> None:
    a, b = make_people(session, 2)
    relate(session, b, "f", a)
    session.commit()
    before = client.get(f"/v1/users/{a}", headers=bearer(b)).data

    mute(client, a, b)

    assert client.get(f"/v1/users/{a}", headers=bearer(b)).data == before
    assert client.get("/v1/notifications", headers=bearer(b)).get_json()["data"] == []
