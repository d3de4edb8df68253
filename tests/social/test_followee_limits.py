from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from factories.social_people import add_noise, make_people, make_person, relate
from factories.tokens import bearer
from igloo_social.models.profiles import PROFILES
from igloo_social.operations import follows


def follow(client: FlaskClient, a: UUID, b: UUID) -> tuple[int, str | None]:
    reply = client.put(f"/v1/users/{b}/follow", headers=bearer(a))
    return reply.status_code, reply.get_json().get("code")


def test_who_follows_as_many_as_one_can_follows_nobody_more(client: FlaskClient, session: Session) -> None:
    a, known, new, private = (*make_people(session, 3), make_person(session, is_private=True))
    add_noise(session, a)
    relate(session, a, "f", known)
    session.execute(update(PROFILES).where(PROFILES.c.user_id == a).values(following_count=7_500))
    session.commit()

    assert follow(client, a, new) == follow(client, a, private) == (409, "too_many_followees")
    assert follow(client, a, known) == (200, None)
    assert follow(client, new, a) == (200, None)
    client.delete(f"/v1/users/{known}/follow", headers=bearer(a))
    assert follow(client, a, new) == (200, None)


def test_who_waits_for_as_many_answers_as_one_can_asks_nobody_more(
    client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follows, "MOST_REQUESTS", 2)
    a, public = make_people(session, 2)
    first, second, third = (make_person(session, is_private=True) for _ in range(3))
    add_noise(session, a)
    session.commit()

    assert [follow(client, a, owner)[0] for owner in (first, second)] == [200, 200]
    assert follow(client, a, third) == (409, "too_many_follow_requests")
    assert follow(client, a, first) == follow(client, a, public) == (200, None)
    client.delete(f"/v1/users/{first}/follow", headers=bearer(a))
    assert follow(client, a, third) == (200, None)


def test_accepting_is_never_refused_for_what_the_other_follows(client: FlaskClient, session: Session) -> None:
    owner, asker = make_person(session, is_private=True), make_person(session)
    session.commit()
    follow(client, asker, owner)
    session.execute(update(PROFILES).where(PROFILES.c.user_id == asker).values(following_count=7_500))
    session.commit()

    reply = client.post(f"/v1/follow-requests/{asker}/accept", headers=bearer(owner))

    assert (reply.status_code, reply.get_json()["followed_by"]) == (200, True)
    assert session.scalar(text("SELECT count(*) FROM relations WHERE relation_type = 'f'")) == 1
