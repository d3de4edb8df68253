"""Photos as their owner sees, describes and deletes them."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from factories import photos
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_common.signatures import verify_path
from igloo_media.jobs.collector import remove_objects
from igloo_media.jobs.processing import PhotoLane
from igloo_media.operations.items import attach_items
from igloo_media.policies.objects import rendition_key
from igloo_media.schemas.items import ItemSchema
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.conftest import Person, events, item, run

PHOTO = photos.jpeg(64, 48)


def test_a_photo_is_pending_then_processing_then_ready(ana: Person, lane: PhotoLane) -> None:
    (upload,) = ana.ask(PHOTO)
    (media_id,) = ana.upload(PHOTO)

    assert ana.media(upload["id"])["state"] == "pending"
    assert ana.media(media_id)["state"] == "processing"
    run(lane)
    assert ana.media(media_id)["state"] == "ready"
    for each in (upload["id"], media_id):
        assert ItemSchema().validate(ana.media(each)) == {}


def test_a_ready_photo_has_signed_addresses(ana: Person, lane: PhotoLane, settings: Settings) -> None:
    (media_id,) = ana.upload(PHOTO)
    run(lane)

    renditions = ana.media(media_id)["renditions"]

    assert set(renditions) == {"thumb", "feed", "full"}
    for name, rendition in renditions.items():
        address = urlsplit(rendition["url"])
        query = parse_qs(address.query)
        assert f"{address.scheme}://{address.netloc}" == settings.common.public_url
        assert address.path == f"/media/{media_id}/{name}"
        assert verify_path(
            address.path,
            expires=int(query["expires"][0]),
            signature=query["signature"][0],
            now=datetime.now(UTC),
            keys=settings.common.address_signing_keys,
        )


def test_photos_of_others_are_not_found(ana: Person, ben: Person, lane: PhotoLane) -> None:
    (media_id,) = ana.upload(PHOTO)
    run(lane)
    path = f"/v1/media/{media_id}"

    assert ben.call("GET", path).status_code == 404
    assert ben.call("PATCH", path, json={"alt_text": "mine"}).status_code == 404
    assert ben.call("DELETE", path).get_json()["code"] == "media_not_found"
    assert ana.media(media_id)["alt_text"] is None


def test_new_words_are_announced_with_the_photo(ana: Person, lane: PhotoLane) -> None:
    (media_id,) = ana.upload(PHOTO)
    run(lane)

    described = ana.call("PATCH", f"/v1/media/{media_id}", json={"alt_text": "A pier"})
    ana.call("PATCH", f"/v1/media/{media_id}", json={"alt_text": "A pier"})

    assert described.get_json()["alt_text"] == "A pier"
    assert [event["alt_text"] for event in events("media.item.ready.v1")] == [None, "A pier"]


def test_words_for_a_photo_still_processing_come_with_its_first_announcement(
    ana: Person, lane: PhotoLane
) -> None:
    (media_id,) = ana.upload(PHOTO)

    ana.call("PATCH", f"/v1/media/{media_id}", json={"alt_text": "A pier"})
    run(lane)

    assert [event["alt_text"] for event in events("media.item.ready.v1")] == ["A pier"]


def test_a_photo_without_post_can_be_deleted_with_its_objects(
    ana: Person, lane: PhotoLane, storage: Storage
) -> None:
    gone, kept = ana.upload(PHOTO, photos.jpeg(64, 48, seed=2))
    run(lane)

    assert ana.call("DELETE", f"/v1/media/{gone}").status_code == 204
    remove_objects(storage)

    assert ana.call("GET", f"/v1/media/{gone}").status_code == 404
    assert ana.call("DELETE", f"/v1/media/{gone}").status_code == 404
    assert storage.size_of(rendition_key(gone, "feed")) is None
    assert storage.size_of(rendition_key(kept, "feed"))
    assert ana.media(kept)["state"] == "ready"


def test_a_photo_that_a_post_shows_goes_with_the_post_alone(ana: Person, lane: PhotoLane) -> None:
    (media_id,) = ana.upload(PHOTO)
    run(lane)
    with transaction() as session:
        attach_items(session, owner_id=ana.id, media_ids=[media_id], post_id=new_id())

    answer = ana.call("DELETE", f"/v1/media/{media_id}")

    assert (answer.status_code, answer.get_json()["code"]) == (409, "media_attached")
    assert item(media_id).state == "ready"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("", "invalid_length"),
        ("x" * 1001, "invalid_length"),
        ("\u2800\u3164", "invisible_text"),
        ("A walrus\u202e", "forbidden_character"),
        ("q" + "\u0323" * 9, "too_many_marks"),
        ("A walrus\x00", "null_character"),
    ],
)
def test_words_that_mislead_or_say_nothing_are_refused(ana: Person, words: str, code: str) -> None:
    (upload,) = ana.ask(PHOTO)

    answer = ana.call("PATCH", f"/v1/media/{upload['id']}", json={"alt_text": words})

    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.get_json()["errors"]] == [
        ("/alt_text", code)
    ]
    assert ana.media(upload["id"])["alt_text"] is None


def test_words_may_have_lines_and_be_taken_back(ana: Person) -> None:
    (upload,) = ana.ask(PHOTO)

    described = ana.call("PATCH", f"/v1/media/{upload['id']}", json={"alt_text": " 바다코끼리\r\n두 마리 "})
    emptied = ana.call("PATCH", f"/v1/media/{upload['id']}", json={"alt_text": None})

    assert described.get_json()["alt_text"] == "바다코끼리\n두 마리"
    assert emptied.get_json()["alt_text"] is None
