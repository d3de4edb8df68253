"""Every table and column of the media service has its place in a person's copy, and goes with the person."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import orjson
from sqlalchemy import Column, text

from factories import photos
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.ids import new_id
from igloo_media.db import Base
from igloo_media.jobs.account_tasks import AccountTaskLane
from igloo_media.jobs.collector import remove_objects
from igloo_media.jobs.processing import PhotoLane
from igloo_media.models import AbandonedParts
from igloo_media.operations.takedowns import take_down
from igloo_media.operations.thumbs import claim_thumb
from igloo_media.policies.objects import renditions_prefix
from igloo_media.policies.processing import LEASE
from igloo_media.storage import Storage
from media.account_tasks import ask_for_export, leave, make_due, work
from media.conftest import Person, change, item, let_time_pass, run

NOT_IN_COPIES: Mapping[str, str] = {
    "account_tasks": "the copy itself",
    "abandoned_parts": "files on their way out",
    "object_removals": "likewise",
    "cache_purges": "likewise",
    "takedowns": "decisions about files, which name nobody; that a photo is withheld is in the copy",
    "thumb_tasks": "a thumbnail that is being cut, within a moment",
    "idempotency_keys": "replies about what is in the copy, for a day",
    "rate_limits": "how many uploads were asked for, for an hour",
    "outbox": "what is in the copy, on its way to the other services, for two weeks",
    "inbox": "ids from other services, for two weeks",
    "parked_messages": "what could not be read",
    "event_sequences": "numbers",
    "revoked_sessions": "ids, for minutes",
    "key_copies": "public keys of the auth service",
}
"""The tables that are in no copy, and why."""
COLUMNS_NOT_IN_COPIES: Mapping[str, str] = {
    "media_items.owner_id": "at the head of the copy",
    "owner_usage.owner_id": "likewise",
    "renditions.media_id": "they are listed below their photo",
    "renditions.version": "of an address",
    "media_items.thumb_version": "likewise",
    "media_items.expires_at": "until when the file could be sent",
    "media_items.multipart_id": "a name of the object store's",
    "media_items.due_at": "the work of the service",
    "media_items.claim_id": "likewise",
    "media_items.attempts": "likewise",
    "media_items.turn_at": "likewise",
}
NAMED_OTHERWISE: Mapping[str, str] = {
    "media_items.focal_x": "focal_point",
    "media_items.focal_y": "focal_point",
    "media_items.receipt": "privacy_receipt",
    "owner_usage.photos": "ready_photos",
}
STAYS = {
    "account_tasks": "the tombstone",
    "object_removals": "until nothing can come any more where the phone was to send it",
    "abandoned_parts": "until they are aborted",
    "cache_purges": "until every cache has confirmed",
    "event_sequences": "numbers of announcements",
    "outbox": "until it is sent",
}
"""What still names a person or a photo when an erasure has ended."""
PHOTO = photos.jpeg(64, 48)


def tables() -> Mapping[str, Mapping[str, Column[object]]]:
    return {name: dict(table.columns) for name, table in Base.metadata.tables.items()}


def naming(*ids: UUID) -> set[str]:
    """Find all tables in which one of the ids stands anywhere."""
    found = set()
    with reading() as reader:
        for table in tables():
            rows = reader.execute(text(f"SELECT to_jsonb(t)::text FROM {table} t")).scalars()  # noqa: S608
            if any(str(each) in row for row in rows for each in ids):
                found.add(table)
    return found


def a_ready_photo(person: Person, lane: PhotoLane) -> UUID:
    """Make a photo of which everything is known that there may be, with a thumbnail being cut."""
    (media_id,) = person.upload(PHOTO, alt_text="A snow hare")
    run(lane)
    person.call("PATCH", f"/v1/media/{media_id}", json={"focal_point": {"x": 0.25, "y": 0.5}})
    post_id = new_id()
    change(media_id, post_id=post_id)
    with transaction() as session:
        take_down(session, post_id=post_id, author_id=person.id, media_ids=[media_id], now=utc_now())
    return media_id


def test_whoever_adds_a_table_or_a_column_says_where_it_is_in_the_copy(
    ana: Person, lane: PhotoLane, storage: Storage, account_lane: AccountTaskLane
) -> None:
    media_id = a_ready_photo(ana, lane)
    part = ask_for_export(ana.id)
    work(account_lane)

    copy = orjson.loads(b"".join(storage.chunks(f"{part}items.json")))
    (shown,) = copy["items"]
    places = {"media_items": shown, "renditions": shown["renditions"]["full"], "owner_usage": copy}
    assert tables().keys() - NOT_IN_COPIES.keys() == places.keys()
    left_out = {
        f"{table}.{column}"
        for table, place in places.items()
        for column in tables()[table]
        if NAMED_OTHERWISE.get(f"{table}.{column}", column) not in place
    }
    assert left_out - {"renditions.name"} == COLUMNS_NOT_IN_COPIES.keys()
    assert shown["focal_point"] == {"x": 0.25, "y": 0.5}
    assert shown["privacy_receipt"].keys() == {"removed", "kept"}
    assert bytes.fromhex(shown["content_sha256"]) == item(media_id).content_sha256
    assert shown["withheld_at"] is not None
    assert (copy["ready_photos"], copy["stored_bytes"]) == (
        1,
        sum(size["size_bytes"] for size in shown["renditions"].values()),
    )


def test_whoever_adds_a_table_says_what_stays_of_it(
    ana: Person, lane: PhotoLane, storage: Storage, account_lane: AccountTaskLane
) -> None:
    media_id = a_ready_photo(ana, lane)
    headers = {"Idempotency-Key": "a-key"}
    files = [{"content_type": "image/jpeg", "size_bytes": 9}]
    assert ana.call("POST", "/v1/uploads", json={"files": files}, headers=headers).status_code == 201
    with transaction() as session:
        session.add(AbandonedParts(multipart_id=f"{ana.id}-1", object_key="", due_at=utc_now()))
    before = naming(ana.id, media_id)
    leave(ana.id)
    work(account_lane)

    after = naming(ana.id, media_id)

    assert {"media_items", "renditions", "owner_usage", "thumb_tasks", "rate_limits"} <= before
    assert after <= STAYS.keys()
    names_nobody = {"takedowns", "inbox", "parked_messages", "revoked_sessions", "key_copies"}
    assert before | STAYS.keys() | names_nobody == tables().keys()


def test_an_erasure_waits_for_who_is_cutting_a_thumbnail(
    ana: Person, lane: PhotoLane, storage: Storage, account_lane: AccountTaskLane
) -> None:
    media_id = a_ready_photo(ana, lane)
    with transaction() as session:
        claim = claim_thumb(session, now=utc_now())
    assert claim is not None
    leave(ana.id)
    work(account_lane)
    assert "media_items" in naming(media_id), "the worker may write at any moment"
    storage.put(claim.key, PHOTO, content_type="image/webp")

    with transaction() as session:
        session.execute(text("UPDATE thumb_tasks SET due_at = due_at - :lease"), {"lease": LEASE})
    make_due()
    work(account_lane)

    assert "media_items" not in naming(media_id)
    assert list(storage.listing(renditions_prefix(media_id))) == []
    let_time_pass(hours=2)
    remove_objects(storage)
