from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from factories.social_news import assert_groups_agree, tell
from factories.social_people import LONG_AGO, add_noise, make_people, make_person, relate
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.jobs import periodic
from igloo_social.jobs.suspensions import move_next
from igloo_social.models.account_tasks import ACCOUNT_TASKS
from igloo_social.models.notifications import NOTIFICATION_GROUPS, NOTIFICATIONS
from igloo_social.models.profiles import PROFILES
from igloo_social.models.relations import RELATIONS
from igloo_social.operations import notifications
from igloo_social.operations.notification_batches import withdraw_told_of
from igloo_social.operations.suspensions import suspend_person

# As if the facts had been told when they say: ids begin with the milliseconds, in hexadecimal digits.
_IDS_OF_THEIR_TIMES = text("""
UPDATE notifications SET
    id = overlay(replace(id::text, '-', '')
        placing lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint), 12, '0') from 1)::uuid
""")
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture
def person(session: Session) -> UUID:
    """Make somebody, among strangers who are told the same kinds of things by each other."""
    made, *strangers = make_people(session, 4)
    add_noise(session, made)
    post = new_id()
    for stranger in strangers[1:]:
        tell(session, strangers[0], actor=stranger, post=post)
        tell(session, strangers[0], actor=stranger, kind="comment", post=post, thing=new_id())
        follow(session, strangers[0], stranger)
    session.commit()
    return made


def listed(client: FlaskClient, person: UUID, query: str = "") -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = client.get(
        f"/v1/notifications{query}", headers=bearer(person)
    ).get_json()["data"]
    return entries


def unread(client: FlaskClient, person: UUID) -> int:
    count: int = client.get("/v1/notifications/unread-count", headers=bearer(person)).get_json()[
        "unread_count"
    ]
    return count


def follow(session: Session, person: UUID, actor: UUID, *, at: Any = LONG_AGO) -> None:  # noqa: ANN401 - a time
    notifications.notify(session, recipient_id=person, kind="follow", actor_id=actor, object_id=None, now=at)


def names(entry: dict[str, Any]) -> list[str]:
    return [actor["username"] for actor in entry["actors"]]


def test_likes_of_a_post_on_one_day_are_one_entry(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    post = new_id()
    for number, name in enumerate(("hare", "fox", "puffin", "walrus", "narwhal")):
        tell(
            session,
            person,
            actor=make_person(session, username=name),
            post=post,
            at=LONG_AGO + number * SECOND,
        )
    other = tell(session, person, actor=make_person(session, username="lemming"), at=LONG_AGO)
    session.commit()

    likes, single = listed(client, person)

    assert names(likes) == ["narwhal", "walrus", "puffin"]
    assert (likes["actor_count"], likes["actor"], likes["kind"]) == (5, likes["actors"][0], "like")
    assert (likes["post_id"], likes["comment_id"]) == (str(post), None)
    assert likes["created_at"] == "2025-01-02T03:04:09.678901Z"
    assert (names(single), single["actor_count"], single["post_id"]) == (["lemming"], 1, str(other))
    assert unread(client, person) == 2
    assert_groups_agree(session)


def test_each_day_in_utc_and_each_kind_is_told_apart(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    post, (a, b, c) = new_id(), make_people(session, 3)
    midnight = LONG_AGO.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    tell(session, person, actor=a, post=post, at=midnight - SECOND)
    tell(session, person, actor=b, post=post, at=midnight)
    tell(session, person, actor=c, kind="comment", post=post, thing=new_id(), at=midnight)
    for actor in (a, b):
        follow(session, person, actor, at=midnight + SECOND)
        tell(
            session, person, actor=actor, kind="mention", post=post, thing=new_id(), at=midnight + 2 * SECOND
        )
        tell(session, person, actor=actor, kind="follow_request", at=midnight + 3 * SECOND)
    session.commit()

    shown = [(entry["kind"], entry["actor_count"]) for entry in listed(client, person)]

    assert shown[:5] == [("follow_request", 1)] * 2 + [("mention", 1)] * 2 + [("follow", 2)]
    assert sorted(shown[5:]) == [("comment", 1), ("like", 1), ("like", 1)]
    assert shown[-1] == ("like", 1)
    assert_groups_agree(session)


def test_who_comments_twice_is_one_of_the_people_and_shows_by_the_last(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    post = new_id()
    hare, fox = make_person(session, username="hare"), make_person(session, username="fox")
    said = [
        tell(
            session, person, actor=actor, kind="comment", post=post, thing=new_id(), at=LONG_AGO + n * SECOND
        )
        for n, actor in enumerate((hare, fox, hare, hare))
    ]
    session.commit()

    def shown() -> tuple[list[str], int, str, str]:
        (entry,) = listed(client, person)
        assert entry["post_id"] == str(post)
        return names(entry), entry["actor_count"], entry["comment_id"], entry["created_at"][17:19]

    assert shown() == (["hare", "fox"], 2, str(said[3]), "08")
    for gone, left in (
        (said[3], (["hare", "fox"], 2, str(said[2]), "07")),
        (said[0], (["hare", "fox"], 2, str(said[2]), "07")),
        (said[2], (["fox"], 1, str(said[1]), "06")),
    ):
        notifications.withdraw_all_about_comment(session, gone)
        session.commit()
        assert shown() == left
        assert_groups_agree(session)
    notifications.withdraw_all_about_comment(session, said[1])
    session.commit()
    assert listed(client, person) == []
    assert_groups_agree(session)


def test_what_is_told_again_moves_nothing(client: FlaskClient, session: Session, person: UUID) -> None:
    post, actor = new_id(), make_person(session)
    tell(session, person, actor=actor, post=post)
    session.commit()
    before = listed(client, person)

    tell(session, person, actor=actor, post=post, at=LONG_AGO + 60 * SECOND)
    tell(session, person, actor=actor, post=post, at=LONG_AGO + DAY)
    session.commit()

    assert listed(client, person) == before
    assert_groups_agree(session)


def test_an_entry_comes_to_the_front_unread_when_somebody_joins_and_back_when_they_leave(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    first, second, (a, b) = new_id(), new_id(), make_people(session, 2)
    tell(session, person, actor=a, post=first, at=LONG_AGO)
    tell(session, person, actor=a, post=second, at=LONG_AGO + SECOND)
    session.commit()
    client.put(
        "/v1/notifications/read-marker",
        json={"read_until": (LONG_AGO + SECOND).isoformat()},
        headers=bearer(person),
    )
    assert unread(client, person) == 0

    tell(session, person, actor=b, post=first, at=LONG_AGO + 2 * SECOND)
    session.commit()

    assert [(entry["post_id"], entry["read"]) for entry in listed(client, person)] == [
        (str(first), False),
        (str(second), True),
    ]
    assert unread(client, person) == 1
    (ids,) = [{entry["id"] for entry in listed(client, person)}]

    notifications.withdraw(session, recipient_id=person, kind="like", actor_id=b, object_id=first)
    session.commit()

    assert [entry["post_id"] for entry in listed(client, person)] == [str(second), str(first)]
    assert {entry["id"] for entry in listed(client, person)} == ids
    assert unread(client, person) == 0
    assert_groups_agree(session)


def mute(session: Session, person: UUID, actor: UUID, expires_at: Any) -> None:  # noqa: ANN401 - a time or None
    session.execute(
        insert(RELATIONS).values(
            from_user=person, to_user=actor, relation_type="m", created_at=LONG_AGO, expires_at=expires_at
        )
    )


def test_nobody_is_told_what_those_do_whom_they_mute_or_a_block_parts_them_from(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    muted, muted_for_now, mute_over, muting, blocked, blocking = make_people(session, 6)
    mute(session, person, muted, None)
    mute(session, person, muted_for_now, LONG_AGO + SECOND)
    mute(session, person, mute_over, LONG_AGO)
    mute(session, muting, person, None)
    relate(session, person, "b", blocked)
    relate(session, blocking, "b", person)
    everybody = [muted, muted_for_now, mute_over, muting, blocked, blocking]
    for actor in everybody:
        tell(session, person, actor=actor)
        follow(session, person, actor)
        tell(session, actor, actor=person)
    tell(session, person, actor=person)
    session.commit()

    assert {entry["actor"]["id"] for entry in listed(client, person)} == {str(mute_over), str(muting)}
    told = {actor for actor in everybody if listed(client, actor)}
    assert told == {muted, muted_for_now, mute_over}
    assert_groups_agree(session)


def test_a_deleted_person_is_told_nothing(session: Session, person: UUID) -> None:
    actor = make_person(session)
    session.execute(update(PROFILES).where(PROFILES.c.user_id == person).values(deleted_at=LONG_AGO))

    tell(session, person, actor=actor)

    found = select(func.count()).where(NOTIFICATIONS.c.recipient_id == person)
    assert session.scalar(found) == 0


def test_the_hidden_are_neither_named_nor_counted_and_a_group_of_nobody_else_is_not_shown(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    leaving, suspended, fine, last = make_people(session, 4)
    both, theirs = new_id(), new_id()
    for number, actor in enumerate((fine, leaving, suspended)):
        tell(session, person, actor=actor, post=both, at=LONG_AGO + number * SECOND)
    for actor in (leaving, suspended):
        tell(session, person, actor=actor, post=theirs, at=LONG_AGO + 9 * SECOND)
    tell(session, person, actor=last, at=LONG_AGO - SECOND)
    for kind, account, column in (
        ("erasure", leaving, "deleted_at"),
        ("suspension", suspended, "suspended_at"),
    ):
        session.execute(update(PROFILES).where(PROFILES.c.user_id == account).values({column: LONG_AGO}))
        session.execute(
            insert(ACCOUNT_TASKS).values(
                id=new_id(), kind=kind, account_id=account, requested_at=LONG_AGO, due_at=LONG_AGO
            )
        )
    session.commit()

    shown = listed(client, person)
    assert [(entry["actor"]["id"], entry["actor_count"]) for entry in shown] == [
        (str(fine), 1),
        (str(last), 1),
    ]
    assert unread(client, person) == 2
    pages, query = [], "?limit=1"
    while query:
        page = client.get(f"/v1/notifications{query}", headers=bearer(person)).get_json()
        pages.append([entry["actor"]["id"] for entry in page["data"]])
        after = page["page"]["next_cursor"]
        query = f"?limit=1&cursor={after}" if after else ""
    assert pages == [[], [str(fine)], [str(last)]]

    for actor in (leaving, suspended):
        while withdraw_told_of(session, actor, limit=1):
            session.commit()
    assert_groups_agree(session)
    assert [entry["actor_count"] for entry in listed(client, person)] == [1, 1]


def test_a_post_that_goes_takes_all_that_was_told_about_it(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    post, (a, b) = new_id(), make_people(session, 2)
    for actor in (a, b):
        tell(session, person, actor=actor, post=post)
        tell(session, person, actor=actor, kind="comment", post=post, thing=new_id())
        tell(session, a, actor=b, kind="mention", post=post, thing=new_id())
    kept = tell(session, person, actor=a)
    session.commit()

    notifications.withdraw_all_about_post(session, post)
    session.commit()

    assert [entry["post_id"] for entry in listed(client, person)] == [str(kept)]
    assert listed(client, a) == []
    assert_groups_agree(session)


def test_what_went_between_two_people_leaves_the_others_in_the_group(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    post, (a, b) = new_id(), make_people(session, 2)
    comment = new_id()
    for actor in (a, b):
        tell(session, person, actor=actor, post=post, at=LONG_AGO + (actor == b) * SECOND)
        tell(session, person, actor=actor, kind="comment", post=post, thing=new_id())
        follow(session, person, actor)
    tell(session, b, actor=person)
    tell(session, a, actor=b, kind="mention", post=post, thing=comment)
    session.commit()

    notifications.remove_between(session, person, b, comment_ids=[comment])
    session.commit()

    assert {(entry["kind"], entry["actor_count"]) for entry in listed(client, person)} == {
        ("like", 1),
        ("comment", 1),
        ("follow", 1),
    }
    assert {entry["actor"]["id"] for entry in listed(client, person)} == {str(a)}
    assert listed(client, a) == listed(client, b) == []
    assert_groups_agree(session)


def test_what_is_older_than_ninety_days_is_forgotten_with_its_groups(
    app: Flask, session: Session, person: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "NEWS_PRUNED_AT_ONCE", 2)
    post, now, actors = new_id(), utc_now(), make_people(session, 4)
    at_midnight = (now - 90 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    for actor in actors:
        for days in (-1, 1):
            tell(
                session,
                person,
                actor=actor,
                post=new_id() if days == 1 else post,
                at=at_midnight + days * DAY,
            )
    session.execute(_IDS_OF_THEIR_TIMES)
    session.commit()
    (forget,) = [job for job in periodic.JOBS if job.name == "forget-old-news"]

    with app.app_context():
        forget.run()

    assert_groups_agree(session)
    left = session.execute(select(NOTIFICATIONS.c.created_at)).scalars().all()
    assert left == [at_midnight + DAY] * 4
    assert session.scalar(select(func.count()).select_from(NOTIFICATION_GROUPS)) == 4


def test_what_a_suspended_person_did_is_no_news_any_more(
    client: FlaskClient, app: Flask, session: Session, person: UUID
) -> None:
    post, (suspended, fine) = new_id(), make_people(session, 2)
    for actor in (fine, suspended):
        tell(session, person, actor=actor, post=post)
    tell(session, suspended, actor=fine)
    suspend_person(session, user_id=suspended, now=LONG_AGO)
    session.commit()
    assert [entry["actor_count"] for entry in listed(client, person)] == [1]

    with app.app_context():
        while move_next():
            pass

    assert [entry["actor_count"] for entry in listed(client, person)] == [1]
    assert len(listed(client, suspended)) == 1
    assert_groups_agree(session)
