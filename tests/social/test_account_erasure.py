"""People who delete their account: unseen at once, gone soon, whatever happens meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from factories.environment import service_environ
from factories.polling import wait_until
from factories.social_accounts import (
    ENDPOINT,
    MISCOUNTED,
    NAME_NOBODY,
    Life,
    assert_nothing_is_left,
    delete_account,
    erase_all,
    everything_else,
    places_naming,
    rows_naming,
    tables_of,
)
from factories.social_events import emitted
from factories.social_people import make_people, make_person, relate
from factories.social_posts import deliver, make_post, media_failed, media_ready, put_in_feed
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.jobs.erasures import erase_next
from igloo_social.models.profiles import PROFILES
from igloo_social.models.reports import REPORTS
from igloo_social.operations import erased_comments, erased_posts, erased_relations, erased_traces
from igloo_social.operations.account_tasks import lock_due_erasure, note_removed
from igloo_social.operations.erasure import erase_batch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from sqlalchemy.orm import Session

    from factories.databases import DatabaseUrls


def removed_counts(session: Session) -> list[dict[str, int]]:
    return [
        {entry["kind"]: entry["count"] for entry in event["removed"]}
        for event in emitted(session, "social.account.erased.v1")
    ]


def test_everything_of_theirs_goes_and_everything_of_others_stays(app: Flask, session: Session) -> None:
    life = Life(session)
    others = everything_else(session, life.person)
    deletion_id = delete_account(session, life.person)

    erase_all(app)

    assert_nothing_is_left(session, life.person)
    assert everything_else(session, life.person) == others
    assert all(others.values()), "the noise has something of every kind"
    (event,) = emitted(session, "social.account.erased.v1")
    assert (event["account_id"], event["deletion_id"]) == (str(life.person), str(deletion_id))
    assert removed_counts(session) == [
        {
            "relations": 11 + 2,
            "feed_entries": 12 + 3 + 2,
            "feed_changes": 2,
            "likes_given": 4 + 1,
            "likes_received": 4 + 1,
            "comments": 4,
            "comments_received": 1,
            "bookmarks": 2,
            "bookmarks_received": 1,
            "dismissed_suggestions": 2,
            "notifications": 6,
            "mentions": 2,
            "media": 3,
            "posts": 5,
            "post_revisions": 1,
            "reports": 3,
            "devices": 1,
            "pushes": 3,
            "read_markers": 1,
            "notification_preferences": 1,
            "facebook_friends": 6,
            "kept_replies": 1,
        }
    ]


def test_nobody_finds_their_words_or_phones_any_more_and_what_they_reported_stays(
    app: Flask, session: Session
) -> None:
    life = Life(session)
    assert places_naming(session, "Snow Hare") == {"profiles.display_name", "reports.snapshot"}
    assert places_naming(session, "snow hare") == {"search_names.name"}
    reported = select(REPORTS.c.reporter_id, REPORTS.c.note).where(REPORTS.c.owner_id == life.others[2])
    assert session.execute(reported).one() == (life.person, "Too white")
    session.execute(text("UPDATE reports SET snapshot = '{}' WHERE owner_id <> :id"), {"id": life.person})
    session.commit()
    delete_account(session, life.person)

    erase_all(app)

    for words in ("Snow Hare", "snow hare", "White in winter", "Rude"):
        assert places_naming(session, words) == set()
    assert session.execute(reported).one() == (None, "")
    assert session.scalars(text("SELECT arn FROM retired_endpoints")).all() == [f"{ENDPOINT}/0"]
    usernames = "SELECT username FROM former_usernames WHERE user_id = :id"
    assert session.scalars(text(usernames), {"id": life.person}).all() == ["white.hare"]


def test_whoever_adds_a_table_says_how_it_is_erased(session: Session) -> None:
    life = Life(session)

    before = {place.split(".")[0] for place in places_naming(session, str(life.person))}

    # What a deletion itself writes, and the library's tables for events, of which there are none here.
    of_deletions = {"account_tasks", "inbox", "outbox", "event_sequences"}
    assert before | NAME_NOBODY.keys() | of_deletions == tables_of(session)
    assert before & NAME_NOBODY.keys() == set()


def test_followers_of_a_deleted_author_have_clean_feeds_also_of_posts_deleted_before(
    app: Flask, session: Session
) -> None:
    author, follower = make_people(session, 2)
    relate(session, follower, "f", author)
    post_id = make_post(session, author, deleted_at=utc_now())
    session.execute(
        text("INSERT INTO timeline SELECT :owner, published_at, id, author_id FROM posts WHERE id = :post"),
        {"owner": follower, "post": post_id},
    )
    session.commit()
    delete_account(session, author)

    erase_all(app)
    deliver(session, "social.post.deleted.v1", post_id=post_id, author_id=author)

    assert session.scalar(text("SELECT count(*) FROM timeline")) == 0


def test_what_was_said_of_the_person_and_their_photos_is_forgotten_and_of_others_kept(
    app: Flask, session: Session
) -> None:
    life = Life(session)
    photos = session.execute(text("SELECT media_id, owner_id FROM media_items ORDER BY media_id")).all()
    # One of a photo that was deleted before: the post still tells that it had it.
    session.execute(text("DELETE FROM media_items WHERE media_id = :id"), {"id": photos[0].media_id})
    said = {f"media:{media_id}": owner_id for media_id, owner_id in photos}
    said |= {f"{about}:{one}": one for about in ("account", "friends") for one in (life.person, *life.others)}
    for key in said:
        session.execute(
            text(
                "INSERT INTO inbox (event_id, type, aggregate_key, sequence, payload, received_at,"
                " next_attempt_at, status) VALUES (gen_random_uuid(), 't', :key, 1, 'a name', now(), now(),"
                " 'applied')"
            ),
            {"key": key},
        )
    session.commit()
    delete_account(session, life.person)

    erase_all(app)

    emptied = set(session.scalars(text("SELECT aggregate_key FROM inbox WHERE payload = '{}'")))
    assert emptied == {key for key, owner in said.items() if owner == life.person}
    assert len(emptied) == 5


def test_a_second_delivery_changes_nothing_and_another_deletion_is_told_of_as_well(
    app: Flask, session: Session
) -> None:
    person = make_person(session)
    relate(session, make_person(session), "f", person)
    first = delete_account(session, person)
    erase_all(app)

    delete_account(session, person, deletion_id=first)
    erase_all(app)
    assert len(emitted(session, "social.account.erased.v1")) == 1
    second = delete_account(session, person)
    erase_all(app)

    told = emitted(session, "social.account.erased.v1")
    assert [(event["deletion_id"], bool(event["removed"])) for event in told] == [
        (str(first), True),
        (str(second), False),
    ]


def test_late_events_about_the_erased_change_nothing(app: Flask, session: Session) -> None:
    life = Life(session)
    waiting = session.scalar(
        text("SELECT id FROM posts WHERE author_id = :id AND state = 'processing'"), {"id": life.person}
    )
    media_id = session.scalar(
        text("SELECT media_id FROM media_items WHERE owner_id = :id LIMIT 1"), {"id": life.person}
    )
    assert waiting
    assert media_id
    delete_account(session, life.person)
    erase_all(app)
    nobody = new_id()
    before = (everything_else(session, nobody), rows_naming(session, life.person)["profiles"])

    media_ready(session, media_id, life.person)
    media_ready(session, new_id(), life.person)
    media_failed(session, new_id(), life.person)
    deliver(session, "auth.account.created.v1", account_id=life.person, display_name="S", picture_url=None)
    for account_id, friend_id in ((life.person, life.others[0]), (life.others[0], life.person)):
        deliver(
            session,
            "auth.friends.found.v1",
            account_id=account_id,
            friend_ids=[friend_id],
            found_at=utc_now(),
        )
    for happened in ("published", "deleted"):
        deliver(session, f"social.post.{happened}.v1", post_id=life.posts[0], author_id=life.person)
    for from_user, to_user in ((life.person, life.others[0]), (life.others[0], life.person)):
        deliver(
            session,
            "social.relation.changed.v1",
            from_user_id=from_user,
            to_user_id=to_user,
            relation_type="f",
        )
    session.commit()

    assert (everything_else(session, nobody), rows_naming(session, life.person)["profiles"]) == before


def test_media_of_the_deleted_do_not_publish_their_waiting_posts(session: Session) -> None:
    author = make_person(session)
    post_id, media_id = make_post(session, author, state="processing"), new_id()
    session.execute(
        text("INSERT INTO post_images VALUES (:post, 0, :media)"), {"post": post_id, "media": media_id}
    )
    delete_account(session, author)

    media_ready(session, media_id, author)
    session.commit()

    assert session.scalar(text("SELECT state FROM posts")) == "processing"
    assert emitted(session, "social.post.published.v1") == []


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a person erased in many steps, so that there is much to interrupt."""
    monkeypatch.setattr(erased_relations, "PEOPLE_AT_ONCE", 1)
    monkeypatch.setattr(erased_comments, "COMMENTS_AT_ONCE", 1)
    monkeypatch.setattr(erased_posts, "POSTS_AT_ONCE", 1)
    monkeypatch.setattr(erased_posts, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(erased_traces, "LIKES_AT_ONCE", 1)
    monkeypatch.setattr(erased_traces, "ROWS_AT_ONCE", 2)


@pytest.mark.usefixtures("small_batches")
def test_an_erasure_broken_off_anywhere_ends_the_same_and_counts_everything_once(
    app: Flask, session: Session
) -> None:
    life = Life(session)
    others = everything_else(session, life.person)
    delete_account(session, life.person)
    steps, more = 0, True

    with app.app_context():
        while more:
            # A worker that dies before its COMMIT: the batch is removed and noted, and none of it happened.
            dying = lock_due_erasure(session, now=utc_now())
            if dying is not None:
                removed = erase_batch(session, account_id=dying.account_id)
                note_removed(session, dying, removed, now=utc_now())
            session.rollback()
            more = erase_next()
            steps += more
            assert session.scalars(MISCOUNTED).all() in ([], [str(life.person)])
            session.rollback()

    assert steps > 20
    assert_nothing_is_left(session, life.person)
    assert everything_else(session, life.person) == others
    (counts,) = removed_counts(session)
    assert (counts["relations"], counts["posts"], counts["likes_received"]) == (13, 5, 5)
    assert (counts["comments"], counts["comments_received"], counts["bookmarks"]) == (4, 1, 2)


def test_one_who_cannot_be_erased_just_now_keeps_nobody_waiting(
    app: Flask, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, other, friend = make_people(session, 3)
    relate(session, friend, "f", stuck)
    session.commit()
    delete_account(session, stuck)
    delete_account(session, other)
    # The friend's row is held for longer than anybody waits for a lock.
    session.execute(select(PROFILES).where(PROFILES.c.user_id == friend).with_for_update())

    with app.app_context():
        while erase_next():
            pass

    session.rollback()
    assert [event["account_id"] for event in emitted(session, "social.account.erased.v1")] == [str(other)]
    assert "Erasing a person failed and is tried again." in caplog.messages
    due = session.execute(text("SELECT due_at, attempts FROM account_tasks WHERE due_at IS NOT NULL")).one()
    assert due.attempts == 1
    assert due.due_at > utc_now() - timedelta(seconds=1)


# A worker of one lane, that takes people one by one so that there is time to kill it.
_WORKER = """
from igloo_social.app import create_app
from igloo_social.jobs.erasures import erase_next
from igloo_social.operations import erased_relations
erased_relations.PEOPLE_AT_ONCE = 1
with create_app().app_context():
    while erase_next():
        pass
"""


def test_an_erasure_goes_on_after_its_worker_was_killed(
    app: Flask, session: Session, database_urls: Mapping[str, DatabaseUrls]
) -> None:
    author, followers = make_person(session), make_people(session, 200)
    post_id = make_post(session, author)
    for follower in followers:
        relate(session, follower, "f", author)
        put_in_feed(session, follower, post_id, author)
    session.commit()
    delete_account(session, author)
    environ = service_environ("social", database_url=database_urls["social"].service, log_level="ERROR")
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    removed = text("SELECT (removed ->> 'relations')::int FROM account_tasks WHERE due_at IS NOT NULL")

    for round_ in (1, 2):
        with subprocess.Popen([sys.executable, "-c", _WORKER], env=environ) as worker:  # noqa: S603 - ours
            wait_until(lambda: (session.scalar(removed) or 0) >= 50 * round_, "the worker had begun")  # noqa: B023
            session.rollback()
            worker.kill()

    done = session.scalar(removed)
    assert done, "the worker was killed before it could finish"
    assert done < len(followers)
    session.rollback()
    erase_all(app)
    assert_nothing_is_left(session, author)
    assert removed_counts(session) == [{"relations": 200, "feed_entries": 200, "posts": 1}]
