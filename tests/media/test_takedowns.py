"""What becomes of the photos of a post that a moderator hid, and of the files that they were."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from factories import photos
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_media.consumers import (
    PostWithMedia,
    delete_posted_media,
    keep_posted_media,
    restore_hidden_media,
    withhold_hidden_media,
)
from igloo_media.jobs.account_tasks import AccountTaskLane
from igloo_media.jobs.processing import PhotoLane
from igloo_media.models import CachePurge, Takedown
from igloo_media.operations.processing import claim_next
from igloo_media.policies.objects import rendition_key, rendition_paths
from igloo_media.storage import Storage
from media.account_tasks import leave, work
from media.conftest import Person, change, events, item, run
from media.test_consumers import deliver, post_of

HARE = photos.jpeg(64, 48, seed=71)
FOX = photos.jpeg(64, 48, seed=72)


@pytest.fixture(autouse=True)
def _nothing_is_refused(app: object) -> None:
    with transaction() as session:
        session.execute(delete(Takedown))


def posted(person: Person, lane: PhotoLane, *files: bytes) -> PostWithMedia:
    """Have somebody post photos."""
    media_ids = person.upload(*files)
    run(lane)
    post = post_of(person.id, media_ids)
    deliver(keep_posted_media, post)
    return post


def refused_files() -> set[bytes]:
    with reading() as reader:
        return set(reader.execute(select(Takedown.sha256)).scalars())


def purged(media_id: UUID) -> set[tuple[str, bool]]:
    """Return which paths of a photo are noted for the caches, each with whether it is for the last time."""
    with reading() as reader:
        rows = reader.execute(
            select(CachePurge.path, CachePurge.is_last).where(CachePurge.path.contains(str(media_id)))
        )
        return {(row.path, row.is_last) for row in rows}


def announce(person: Person, *files: bytes, **fields: Any) -> Any:  # noqa: ANN401 - Werkzeug's TestResponse
    wanted = [
        {"content_type": "image/jpeg", "size_bytes": len(file), "sha256": sha256(file).hexdigest(), **fields}
        for file in files
    ]
    return person.call("POST", "/v1/uploads", json={"files": wanted})


def test_photos_of_a_hidden_post_are_withheld_and_their_files_refused(ana: Person, lane: PhotoLane) -> None:
    post = posted(ana, lane, HARE)
    (other,) = ana.upload(FOX)
    run(lane)
    change(post.media_ids[0], thumb_version=2)

    deliver(withhold_hidden_media, post)

    shown = ana.media(post.media_ids[0])
    assert (shown["state"], shown["is_withheld"], shown["renditions"]) == ("ready", True, {})
    assert refused_files() == {sha256(HARE).digest()}
    paths = rendition_paths(post.media_ids[0], thumb_version=2)
    assert purged(post.media_ids[0]) == {(path, last) for path in paths for last in (False, True)}
    assert (ana.media(other)["is_withheld"], purged(other)) == (False, set())
    assert ana.media(other)["renditions"]


def test_the_objects_of_a_withheld_photo_stay(ana: Person, lane: PhotoLane, storage: Storage) -> None:
    post = posted(ana, lane, HARE)

    deliver(withhold_hidden_media, post)

    assert storage.size_of(rendition_key(post.media_ids[0], "feed"))


def test_a_restored_post_shows_its_photos_and_its_files_are_taken_again(
    ana: Person, ben: Person, lane: PhotoLane
) -> None:
    post = posted(ana, lane, HARE)
    for handler in (withhold_hidden_media, withhold_hidden_media, restore_hidden_media, restore_hidden_media):
        deliver(handler, post)

    assert ana.media(post.media_ids[0])["is_withheld"] is False
    assert set(ana.media(post.media_ids[0])["renditions"]) == {"thumb", "feed", "full"}
    assert announce(ben, HARE).status_code == 201


def test_a_file_that_another_post_had_as_well_stays_refused(
    ana: Person, ben: Person, lane: PhotoLane
) -> None:
    post, same = posted(ana, lane, HARE), posted(ben, lane, HARE)
    deliver(withhold_hidden_media, post)
    assert ben.media(same.media_ids[0])["is_withheld"] is False, "each post is a decision of its own"
    deliver(withhold_hidden_media, same)

    deliver(restore_hidden_media, post)

    assert announce(ben, HARE).status_code == 409
    assert ana.media(post.media_ids[0])["is_withheld"] is False


def test_nobody_has_photos_of_others_withheld(ana: Person, ben: Person, lane: PhotoLane) -> None:
    post = posted(ana, lane, HARE)

    (unposted,) = ana.upload(FOX)
    run(lane)

    deliver(withhold_hidden_media, post_of(ben.id, [*post.media_ids, unposted]))
    deliver(withhold_hidden_media, post_of(ana.id, post.media_ids))

    assert (item(post.media_ids[0]).withheld_at, item(unposted).withheld_at) == (None, None)
    assert refused_files() == set()


def test_a_photo_from_before_its_bytes_were_noted_is_known_by_what_was_announced(
    ana: Person, lane: PhotoLane
) -> None:
    post = posted(ana, lane, HARE)
    change(post.media_ids[0], content_sha256=None, sha256=sha256(FOX).digest())

    deliver(withhold_hidden_media, post)

    assert refused_files() == {sha256(FOX).digest()}


def test_the_decision_outlives_the_post(ana: Person, ben: Person, lane: PhotoLane) -> None:
    post = posted(ana, lane, HARE)
    deliver(withhold_hidden_media, post)

    deliver(delete_posted_media, post)
    deliver(withhold_hidden_media, post)

    assert item(post.media_ids[0]).state == "deleted"
    assert announce(ben, HARE).status_code == 409


def test_an_announced_file_is_refused_at_once_with_a_pointer(
    ana: Person, ben: Person, lane: PhotoLane
) -> None:
    deliver(withhold_hidden_media, posted(ana, lane, HARE))

    answer = announce(ben, FOX, HARE)

    assert (answer.status_code, answer.get_json()["code"]) == (409, "media_refused")
    (error,) = answer.get_json()["errors"]
    assert (error["pointer"], error["code"]) == ("/files/1", "media_refused")
    assert ben.call("GET", "/v1/uploads").get_json()["data"] == [], "of files together none is taken"


def test_a_file_that_was_not_announced_is_refused_when_it_has_arrived(
    ana: Person, ben: Person, lane: PhotoLane
) -> None:
    deliver(withhold_hidden_media, posted(ana, lane, HARE))

    refused, taken = ben.upload(HARE, FOX)
    run(lane)

    assert ben.media(refused)["failure"]["code"] == "media_refused"
    assert ben.media(taken)["state"] == "ready"
    assert events("media.item.failed.v1")[-1]["code"] == "media_refused"


def test_a_file_taken_down_while_it_is_worked_on_is_refused_and_leaves_nothing(
    ana: Person, ben: Person, lane: PhotoLane, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = posted(ana, lane, HARE)
    (media_id,) = ben.upload(HARE)
    with transaction() as session:
        claim = claim_next(session, now=utc_now())
    assert claim is not None
    kept, upload = [], storage.upload

    def take_down_meanwhile(key: str, path: Path, *, content_type: str) -> None:
        upload(key, path, content_type=content_type)
        kept.append(key)
        deliver(withhold_hidden_media, post)

    monkeypatch.setattr(storage, "upload", take_down_meanwhile)
    lane.finish(claim)

    assert ben.media(media_id)["failure"]["code"] == "media_refused"
    assert kept
    with reading() as reader:
        noted = {key for (key,) in reader.exec_driver_sql("SELECT object_key FROM object_removals")}
    assert set(kept) <= noted


def test_ones_own_deletion_refuses_nothing(ana: Person, lane: PhotoLane) -> None:
    (media_id,) = ana.upload(HARE)
    run(lane)

    assert ana.call("DELETE", f"/v1/media/{media_id}").status_code == 204

    assert {path for path, _ in purged(media_id)} == set(rendition_paths(media_id))
    assert announce(ana, HARE).status_code == 201


def test_what_was_never_shown_is_not_purged(ana: Person) -> None:
    (upload,) = ana.ask(HARE)

    ana.call("DELETE", f"/v1/uploads/{upload['id']}")

    assert purged(UUID(upload["id"])) == set()


def test_a_second_purge_follows_when_nothing_from_before_is_on_its_way(ana: Person, lane: PhotoLane) -> None:
    (media_id,) = ana.upload(HARE)
    run(lane)
    ana.call("DELETE", f"/v1/media/{media_id}")

    with reading() as reader:
        rows = reader.execute(select(CachePurge).where(CachePurge.path == rendition_paths(media_id)[0])).all()

    first, last = sorted(rows, key=lambda row: row.due_at)
    assert (first.is_last, last.is_last) == (False, True)
    assert last.due_at - first.due_at == timedelta(seconds=5)


def test_a_person_who_leaves_has_their_photos_withdrawn_and_takes_no_decision_along(
    ana: Person, ben: Person, lane: PhotoLane, account_lane: AccountTaskLane
) -> None:
    post = posted(ana, lane, HARE)
    deliver(withhold_hidden_media, post)
    (other,) = ana.upload(FOX)
    run(lane)

    leave(ana.id)
    work(account_lane)

    assert {path for path, _ in purged(other)} == set(rendition_paths(other))
    assert announce(ben, HARE).status_code == 409
    assert announce(ben, FOX).status_code == 201
