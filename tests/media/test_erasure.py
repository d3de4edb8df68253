"""A deleted account leaves nothing here: no row, no object, no word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from factories import photos
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.ids import new_id
from igloo_media.consumers import (
    AccountDeleted,
    PostWithMedia,
    delete_posted_media,
    erase_deleted_account,
    keep_posted_media,
)
from igloo_media.jobs import erasure
from igloo_media.jobs.account_tasks import AccountTaskLane
from igloo_media.jobs.collector import collect_items, remove_objects
from igloo_media.jobs.processing import PhotoLane
from igloo_media.jobs.sweeper import sweep_uploads
from igloo_media.policies.objects import original_key, originals_prefix, rendition_key, renditions_prefix
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.account_tasks import (
    ask_for_export,
    deliver,
    fill,
    leave,
    make_due,
    objects_of,
    rows_of,
    tasks,
    work,
)
from media.conftest import Person, change, events, item, let_time_pass, run, send

PHOTO = photos.jpeg(64, 48)
ERASED = "media.account.erased.v1"


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What somebody else has, all of which stays."""

    owner: Person
    ready: UUID
    pending: UUID


@pytest.fixture
def noise(ben: Person, lane: PhotoLane, storage: Storage) -> Iterator[Noise]:
    """Keep photos of somebody else, which no erasure may touch."""
    (ready,) = ben.upload(PHOTO, client_id="same", alt_text="A fulmar")
    run(lane)
    remove_objects(storage)
    (pending,) = ben.ask(PHOTO)
    send(pending["target"], PHOTO)
    kept = Noise(owner=ben, ready=ready, pending=UUID(pending["id"]))
    before = (item(kept.ready), item(kept.pending))
    yield kept
    assert (item(kept.ready), item(kept.pending)) == before
    left = objects_of(storage, ben.id, [ready])
    assert left == [
        original_key(ben.id, kept.pending),
        *(rendition_key(ready, name) for name in ("feed", "full", "thumb")),
    ]


def a_bit_of_everything(person: Person, lane: PhotoLane) -> list[UUID]:
    """Give a person items in every state that there is, with all that may be known of them."""
    ready, failed = person.upload(PHOTO, photos.BROKEN_JPEG, alt_text="Two puffins")
    run(lane)
    (deleted,) = person.upload(photos.jpeg(64, 48, seed=2), client_id="deleted-by-hand")
    person.call("DELETE", f"/v1/media/{deleted}")
    expired, sent = (UUID(each["id"]) for each in person.ask(PHOTO, photos.jpeg(64, 48, seed=3)))
    change(expired, state="expired", closed_at=utc_now(), due_at=None, client_id="never-came")
    target = person.call("GET", f"/v1/uploads/{sent}").get_json()["target"]
    send(target, photos.jpeg(64, 48, seed=3))
    summed = photos.jpeg(64, 48, seed=4)
    (uploaded,) = person.upload(summed, sha256=sha256(summed).hexdigest())
    states = [item(each).state for each in (ready, failed, deleted, expired, sent, uploaded)]
    assert states == ["ready", "failed", "deleted", "expired", "pending", "uploaded"]
    return [ready, failed, deleted, expired, sent, uploaded]


def everything_in_the_database() -> str:
    """Return all rows of all tables of the service as one text, but for what the broker has not taken yet."""
    with reading() as reader:
        tables = reader.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        ).scalars()
        rows = [
            str(row)
            for table in tables.all()
            for row in reader.execute(text(f"SELECT to_jsonb(t)::text FROM {table} AS t")).scalars()  # noqa: S608 - its own tables
        ]
    return "\n".join(rows)


def publish_everything() -> None:
    """Let the broker have taken all events so far."""
    with transaction() as session:
        session.execute(text("UPDATE outbox SET published_at = now()"))


def authorize(app: Flask, address: str) -> int:
    parts = urlsplit(address)
    uri = f"{parts.path}?{parts.query}"
    headers = {"X-Original-URI": uri}
    return app.test_client().get("/internal/renditions/authorize", headers=headers).status_code


def test_of_a_deleted_account_nothing_stays(
    ana: Person, lane: PhotoLane, storage: Storage, account_lane: AccountTaskLane, noise: Noise
) -> None:
    media_ids = a_bit_of_everything(ana, lane)
    answer = ana.call(
        "POST",
        "/v1/uploads",
        json={"files": [{"content_type": "image/jpeg", "size_bytes": 5, "client_id": "kept-reply"}]},
        headers={"Idempotency-Key": "an-upload-of-a-puffin"},
    )
    media_ids.append(UUID(answer.get_json()["data"][0]["id"]))
    publish_everything()

    deletion_id = leave(ana.id)
    work(account_lane)

    assert rows_of(ana.id) == 0
    assert objects_of(storage, ana.id, media_ids) == []
    (erased,) = events(ERASED)
    assert (erased["account_id"], erased["deletion_id"]) == (str(ana.id), str(deletion_id))
    # Ready, failed, pending and uploaded ones; three renditions, and one original that was known to be there.
    assert erased["removed"] == [{"kind": "media_items", "count": 5}, {"kind": "objects", "count": 4}]
    held = everything_in_the_database()
    for word in ("Two puffins", "by-hand", "never-came", "kept-reply", "an-upload-of-a-puffin", "0" * 64):
        assert word not in held
    assert "A fulmar" in held, "the search finds what is there"


def test_what_may_still_be_sent_is_removed_when_it_no_longer_can_be(
    ana: Person, storage: Storage, account_lane: AccountTaskLane
) -> None:
    (upload,) = ana.ask(PHOTO)
    leave(ana.id)
    work(account_lane)
    assert len(events(ERASED)) == 1, "an hour need not pass before"

    # S3 knows nothing of accounts: whoever has kept the target may send.
    assert send(upload["target"], PHOTO).status_code == 204
    remove_objects(storage)
    assert storage.size_of(original_key(ana.id, upload["id"]))
    let_time_pass(hours=1.2)
    sweep_uploads(storage)
    remove_objects(storage)

    assert objects_of(storage, ana.id, [UUID(upload["id"])]) == []
    assert rows_of(ana.id) == 0


def test_nothing_is_shown_from_the_first_moment_even_with_s3_away(
    app: Flask, ana: Person, lane: PhotoLane, settings: Settings, account_lane: AccountTaskLane
) -> None:
    (media_id,) = ana.upload(
        PHOTO, client_id="phone-7", alt_text="Two puffins", sha256=sha256(PHOTO).hexdigest()
    )
    run(lane)
    address = ana.media(media_id)["renditions"]["feed"]["url"]
    assert authorize(app, address) == 204
    away = AccountTaskLane(Storage(replace(settings.storage, endpoint="http://127.0.0.1:9")))

    leave(ana.id)
    assert away.step()

    assert authorize(app, address) == 404
    assert ana.call("GET", f"/v1/media/{media_id}").status_code == 404
    assert ana.call("GET", "/v1/uploads").get_json()["data"] == []
    row = item(media_id)
    assert (row.client_id, row.alt_text, row.sha256, row.blurhash, row.width) == (None,) * 5
    (task,) = tasks()
    assert (task.attempts, task.finished_at) == (1, None)
    assert task.due_at > utc_now(), "it waits before it asks S3 again"
    assert not away.step()
    assert events(ERASED) == []

    make_due()
    work(account_lane)
    assert len(events(ERASED)) == 1


def test_a_deleted_account_gets_no_targets(ana: Person, ben: Person, account_lane: AccountTaskLane) -> None:
    file = {"content_type": "image/jpeg", "size_bytes": len(PHOTO)}
    leave(ana.id)
    for _ in ("before its erasure", "and ever after"):
        refused = ana.call("POST", "/v1/uploads", json={"files": [file]})
        assert (refused.status_code, refused.get_json()["code"]) == (410, "account_deleted")
        work(account_lane)

    assert rows_of(ana.id) == 0
    assert ben.ask(PHOTO), "others go on"


def test_what_nobody_knew_of_is_found_by_listing(
    ana: Person, lane: PhotoLane, storage: Storage, account_lane: AccountTaskLane, noise: Noise
) -> None:
    (media_id,) = ana.upload(PHOTO)
    run(lane)
    storage.put(f"{renditions_prefix(media_id)}huge.webp", b"x", content_type="image/webp")
    storage.put(f"{originals_prefix(ana.id)}{new_id()}", b"x", content_type="image/jpeg")

    leave(ana.id)
    work(account_lane)

    assert objects_of(storage, ana.id, [media_id]) == []
    assert len(events(ERASED)) == 1


def test_many_photos_go_in_batches_and_in_turns(
    ana: Person,
    storage: Storage,
    account_lane: AccountTaskLane,
    noise: Noise,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(erasure, "EMPTIED_AT_ONCE", 7)
    monkeypatch.setattr(erasure, "CLEARED_AT_ONCE", 3)
    monkeypatch.setattr("igloo_media.jobs.account_tasks.UNIT_SECONDS", 0.0)
    media_ids = fill(storage, ana.id, 20)

    leave(ana.id)
    turns = work(account_lane)

    assert turns >= 3 + 7, "one batch a turn"
    assert rows_of(ana.id) == 0
    assert objects_of(storage, ana.id, media_ids) == []
    (erased,) = events(ERASED)
    assert [each["count"] for each in erased["removed"]] == [20, 60]


def test_events_that_come_late_or_again_change_nothing(
    ana: Person, ben: Person, lane: PhotoLane, account_lane: AccountTaskLane
) -> None:
    (media_id,) = ana.upload(PHOTO)
    run(lane)
    deletion = AccountDeleted(account_id=ana.id, deletion_id=new_id())
    post = PostWithMedia(post_id=new_id(), author_id=ana.id, media_ids=(media_id,))
    deliver(erase_deleted_account, deletion)
    account_lane.step()
    finished = tasks()

    for _ in range(2):
        deliver(keep_posted_media, post)
        deliver(delete_posted_media, post)
        deliver(erase_deleted_account, deletion)
        ask_for_export(ana.id)
        work(account_lane)
        collect_items()

    assert tasks() == finished
    assert len(events(ERASED)) == 1
    assert rows_of(ana.id) == 0
    assert events("media.export.collected.v1") == []


def test_an_export_under_way_is_given_up_and_its_part_goes(
    ana: Person,
    storage: Storage,
    account_lane: AccountTaskLane,
    noise: Noise,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("igloo_media.jobs.export.COPIED_AT_ONCE", 2)
    fill(storage, ana.id, 6)
    part = ask_for_export(ana.id)
    others = ask_for_export(noise.owner.id)
    for _ in range(4):
        account_lane.step()
    assert len(list(storage.listing(part))) >= 2

    leave(ana.id)
    for _ in range(2):
        work(account_lane)
        make_due()
    work(account_lane)

    assert list(storage.listing(part)) == []
    collected = events("media.export.collected.v1")
    assert [each["account_id"] for each in collected] == [str(noise.owner.id)]
    assert len(list(storage.listing(others))) == 2


def test_somebody_else_with_nothing_is_erased_at_once(app: Flask, account_lane: AccountTaskLane) -> None:
    leave(new_id())

    assert work(account_lane) == 1

    (erased,) = events(ERASED)
    assert [each["count"] for each in erased["removed"]] == [0, 0]
