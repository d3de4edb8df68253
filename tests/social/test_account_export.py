"""Copies of everything held about a person, put into S3."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import Table, text
from sqlalchemy.sql import visitors

from factories.social_accounts import MUTED_UNTIL, Life, delete_account, places_naming
from factories.social_events import emitted
from factories.social_people import LONG_AGO, make_people, make_person, relate
from factories.social_posts import add_post_noise, deliver, make_post
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_common.object_store import ObjectMissing, ObjectStore, StorageSettings
from igloo_local.parts.seaweed import Seaweed
from igloo_social.jobs.backlog import OLDEST, WAITING, measure_backlog
from igloo_social.jobs.exports import ExportLane, write_sections
from igloo_social.operations.account_tasks import EXPORT_LEASE, Task, claim_due_export
from igloo_social.queries.export_sections import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from uuid import UUID

    from flask import Flask
    from sqlalchemy.orm import Session

    from igloo_social.settings import Settings


NOT_IN_COPIES: Mapping[str, str] = {
    "comment_mentions": "in the words of the comments, and others' words",
    "post_mentions": "likewise",
    "search_names": "made of the profile",
    "timeline": "others' posts, as the follows say",
    "feed_changes": "where phones look again, for a week",
    "post_changes": "likewise",
    "notification_groups": "made of the notifications",
    "pushes": "notifications on their way, for an hour",
    "idempotency_keys": "replies about what is in the copy, for a day",
    "moderation_actions": "the trail of moderation, which is shown to moderators alone",
}
"""The tables that name a person and are in no section, and why."""


@pytest.fixture(scope="session")
def storage_settings(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StorageSettings]:
    """Start S3, with the bucket in it."""
    with Seaweed(tmp_path_factory.mktemp("s3")) as server:
        key_id, secret = server.credentials
        found = replace(settings.storage, endpoint=server.url, access_key_id=key_id, secret_access_key=secret)
        ObjectStore(found).inside.create_bucket(Bucket=found.bucket)
        yield found


@pytest.fixture(scope="session")
def store(storage_settings: StorageSettings) -> ObjectStore:
    """Give the bucket."""
    return ObjectStore(storage_settings)


def request_copy(session: Session, account_id: UUID, *, export_id: UUID | None = None) -> str:
    """Deliver `auth.export.requested.v1`, commit, and return the prefix of the parts."""
    export_id = export_id or new_id()
    prefix = f"exports/{export_id}/parts/"
    deliver(
        session,
        "auth.export.requested.v1",
        now=utc_now(),
        export_id=export_id,
        account_id=account_id,
        parts_prefix=prefix,
    )
    session.commit()
    return prefix


def collect(app: Flask, store: ObjectStore) -> int:
    """Run the lane until nothing is due, and return how many copies it made or tried to."""
    lane, steps = ExportLane(store), 0
    with app.app_context():
        while lane.step():
            steps += 1
    return steps


def copy_in(store: ObjectStore, prefix: str) -> dict[str, Any]:
    """Read all files of a copy, by name."""
    keys = [entry.key for entry in store.listing(prefix)]
    return {key.removeprefix(prefix): orjson.loads(b"".join(store.chunks(key))) for key in keys}


def written_copy(app: Flask, folder: Path, person: UUID) -> dict[str, list[dict[str, Any]]]:
    """Write a person's copy into a folder, and read its sections."""
    task = Task(id=new_id(), kind="export", account_id=person, parts_prefix="exports/x/parts/", attempts=0)
    with app.app_context():
        return {file.stem: orjson.loads(file.read_bytes()) for file in write_sections(task, folder)}


def test_a_copy_holds_everything_of_the_person_and_nothing_of_others(
    app: Flask, session: Session, store: ObjectStore
) -> None:
    add_post_noise(session)
    life = Life(session)
    prefix = request_copy(session, life.person)

    collect(app, store)

    copy = copy_in(store, prefix)
    assert set(copy) == {f"social/{name}.json" for name in SECTIONS}
    first, second, third, fourth, fifth, sixth = (str(other) for other in life.others)

    def ids(name: str) -> set[str]:
        return {row["user_id"] for row in copy[f"social/{name}.json"]}

    (profile,) = copy["social/profile.json"]
    assert (profile["user_id"], profile["username"]) == (str(life.person), "snow.hare")
    assert profile["bio"] == "White in winter"
    assert profile["notifications_read_until"] == "2025-01-02T03:04:05.678901Z"
    assert ids("following") == {first, second, fourth}
    assert ids("followers") == {first, second, third, fourth, fifth}
    assert ids("follow_requests_sent") == {third}
    assert ids("follow_requests_received") == {fifth}
    assert ids("blocks") == {sixth}
    assert ids("dismissed_suggestions") == {third}
    assert ids("facebook_friends") == {second, third, fourth}
    assert [row["id"] for row in copy["social/devices.json"]] == [str(life.devices[0])]
    assert all(row["username"].startswith("p_") for row in copy["social/followers.json"])
    assert {row["actor_id"] for row in copy["social/notifications.json"]} == {first, second, third}
    assert {row["post_id"] for row in copy["social/bookmarks.json"]} == {
        str(life.others_posts[0]),
        str(life.posts[0]),
    }
    assert {row["post_id"] for row in copy["social/likes.json"]} == {
        str(post_id) for post_id in (*life.others_posts, life.posts[0])
    }


def test_a_copy_holds_what_the_person_wrote_chose_and_asked_for(
    app: Flask, session: Session, tmp_path: Path
) -> None:
    life = Life(session)
    long_ago = "2025-01-02T03:04:05.678901Z"

    copy = written_copy(app, tmp_path, life.person)

    said = {row["text"]: row for row in copy["comments"]}
    assert [row["text"] for row in copy["comments"]].count("So white!") == 2
    assert said.keys() == {"So white!", "", "Rude"}
    assert (said[""]["deleted_at"], said["Rude"]["hidden_by"]) == (long_ago, "moderation")
    assert copy["former_usernames"] == [{"username": "white.hare", "released_at": long_ago}]
    assert copy["notification_preferences"] == [{"kind": "like", "delivery": "list"}]
    (mute,) = copy["mutes"]
    assert (mute["user_id"], mute["until"][:4]) == (str(life.others[4]), str(MUTED_UNTIL.year))
    (device,) = copy["devices"]
    assert device == {"id": str(life.devices[0]), "platform": "apns", "registered_at": long_ago}
    (report,) = copy["reports"]
    assert (report["target_kind"], report["target_id"]) == ("user", str(life.others[2]))
    assert (report["reason"], report["note"], report["resolution"]) == ("spam", "Too white", None)


def test_whoever_adds_a_table_says_where_it_is_in_the_copy(session: Session) -> None:
    life = Life(session)
    theirs = {place.split(".")[0] for place in places_naming(session, str(life.person))}

    in_sections = {
        element.name
        for section in SECTIONS.values()
        for element in visitors.iterate(section)
        if isinstance(element, Table)
    }

    assert theirs - in_sections == NOT_IN_COPIES.keys()


def test_posts_come_with_their_photos_and_their_times_the_deleted_too(
    app: Flask, session: Session, store: ObjectStore
) -> None:
    life = Life(session)
    prefix = request_copy(session, life.person)

    collect(app, store)

    posts = {post["caption"]: post for post in copy_in(store, prefix)["social/posts.json"]}
    assert set(posts) == {"Snow 0", "Snow 1", "Snow 2", "Snow", "Gone"}
    assert posts["Gone"]["deleted_at"] is not None
    media_id = session.scalar(
        text("SELECT media_id FROM post_images WHERE post_id = :post"), {"post": life.posts[0]}
    )
    assert posts["Snow 0"]["images"] == [{"media_id": str(media_id), "alt_text": "A white hare"}]
    assert posts["Snow 0"]["like_count"] == 4
    assert posts["Snow 0"]["tags"] == ["snow"]
    assert [revision["caption"] for revision in posts["Snow 0"]["revisions"]] == ["Snwo"]
    assert (posts["Snow 0"]["visibility"], posts["Snow"]["images"]) == ("public", [])


def test_who_blocks_the_person_is_in_no_file(app: Flask, session: Session, store: ObjectStore) -> None:
    person, blocker = make_people(session, 2)
    relate(session, person, "b", blocker)
    relate(session, person, "m", blocker)
    deliver(session, "auth.friends.found.v1", account_id=person, friend_ids=[blocker], found_at=LONG_AGO)
    relate(session, blocker, "b", person)
    session.execute(
        text("INSERT INTO bookmarks VALUES (:person, :post, now())"),
        {"person": person, "post": (kept := make_post(session, blocker))},
    )
    session.execute(
        text("INSERT INTO dismissed_suggestions VALUES (:person, :blocker, now())"),
        {"person": person, "blocker": blocker},
    )
    session.execute(
        text(
            "INSERT INTO reports"
            " (id, reporter_id, target_kind, target_id, owner_id, reason, snapshot, created_at)"
            " VALUES (:id, :person, 'user', :blocker, :blocker, 'spam', '{}', now())"
        ),
        {"id": new_id(), "person": person, "blocker": blocker},
    )
    session.execute(
        text("INSERT INTO notifications VALUES (:id, :person, 'follow', :blocker, NULL, now())"),
        {"id": new_id(), "person": person, "blocker": blocker},
    )
    prefix = request_copy(session, person)

    collect(app, store)

    copy = copy_in(store, prefix)
    assert str(blocker) not in str(copy)
    assert str(kept) not in str(copy)
    assert [row["target_id"] for row in copy["social/reports.json"]] == [None]


def test_a_copy_is_told_of_once_it_lies_in_s3_and_once_only(
    app: Flask, session: Session, store: ObjectStore
) -> None:
    person, export_id = make_person(session), new_id()
    request_copy(session, person, export_id=export_id)
    request_copy(session, person, export_id=export_id)

    assert collect(app, store) == 1
    request_copy(session, person, export_id=export_id)
    assert collect(app, store) == 0

    (event,) = emitted(session, "social.export.collected.v1")
    assert (event["export_id"], event["account_id"]) == (str(export_id), str(person))


def test_of_the_deleted_there_is_nothing_to_collect_and_that_is_said(
    app: Flask, session: Session, store: ObjectStore
) -> None:
    person, stranger = make_person(session), new_id()
    delete_account(session, person)
    prefixes = [request_copy(session, account_id) for account_id in (person, stranger)]

    collect(app, store)

    assert [copy_in(store, prefix) for prefix in prefixes] == [{}, {}]
    assert len(emitted(session, "social.export.collected.v1")) == 2


def test_a_copy_waits_while_s3_is_away_and_is_made_when_it_is_back(
    app: Flask, session: Session, settings: Settings, store: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = ObjectStore(settings.storage)
    prefix = request_copy(session, make_person(session))

    with caplog.at_level(logging.WARNING):
        assert collect(app, nowhere) == 1
    task = session.execute(text("SELECT due_at, attempts, finished_at FROM account_tasks")).one()
    assert (task.attempts, task.finished_at) == (1, None)
    assert task.due_at < utc_now() + EXPORT_LEASE / 2
    assert "A copy waits for S3." in caplog.messages
    with app.app_context():
        assert measure_backlog() is False
    assert (WAITING.labels("export")._value.get(), WAITING.labels("erasure")._value.get()) == (1, 0)
    assert OLDEST.labels("export")._value.get() > 0

    session.execute(text("UPDATE account_tasks SET due_at = now()"))
    session.commit()
    assert collect(app, store) == 1
    assert "social/profile.json" in copy_in(store, prefix)
    assert len(emitted(session, "social.export.collected.v1")) == 1


def test_a_copy_whose_worker_died_is_made_by_another_after_the_lease(
    app: Flask, session: Session, store: ObjectStore
) -> None:
    prefix = request_copy(session, make_person(session))
    assert claim_due_export(session, now=utc_now())
    session.commit()
    assert collect(app, store) == 0

    session.execute(text("UPDATE account_tasks SET due_at = due_at - :lease"), {"lease": EXPORT_LEASE})
    session.commit()

    assert collect(app, store) == 1
    assert "social/profile.json" in copy_in(store, prefix)


def test_who_is_deleted_while_the_copy_is_made_leaves_none(
    app: Flask, session: Session, storage_settings: StorageSettings
) -> None:
    person = make_person(session)
    prefix = request_copy(session, person)

    class SlowStore(ObjectStore):
        def put_file(self, key: str, path: Path, *, content_type: str) -> None:
            super().put_file(key, path, content_type=content_type)
            if key.endswith("profile.json"):
                delete_account(session, person)

    collect(app, SlowStore(storage_settings))

    store = ObjectStore(storage_settings)
    assert copy_in(store, prefix) == {}
    with pytest.raises(ObjectMissing):
        next(store.chunks(f"{prefix}social/profile.json"))
