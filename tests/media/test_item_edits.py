"""What an owner says of a photo: changed in part, conditionally, and shown with all that is known of it."""

from __future__ import annotations

from typing import Any

import pytest

from factories import photos
from igloo_common.ids import new_id
from igloo_media.jobs.processing import PhotoLane
from igloo_media.schemas.items import ItemSchema
from media.conftest import Person, change, events, run

PHOTO = photos.jpeg(64, 48)
POINT = {"x": 0.25, "y": 0.75}


@pytest.fixture
def pending(ana: Person) -> str:
    (upload,) = ana.ask(PHOTO)
    return str(upload["id"])


def edit(person: Person, media_id: object, body: object, **headers: str) -> Any:  # noqa: ANN401 - Werkzeug's
    return person.call("PATCH", f"/v1/media/{media_id}", json=body, headers=headers)


def get(person: Person, media_id: object, **headers: str) -> Any:  # noqa: ANN401 - Werkzeug's
    return person.call("GET", f"/v1/media/{media_id}", headers=headers)


def test_what_is_left_out_stays(ana: Person, pending: str) -> None:
    edit(ana, pending, {"alt_text": "A puffin", "focal_point": POINT})
    said = edit(ana, pending, {"alt_text": None}).get_json()
    assert (said["alt_text"], said["focal_point"]) == (None, POINT)

    said = edit(ana, pending, {"focal_point": None}).get_json()

    assert (said["alt_text"], said["focal_point"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"focal_point": {"x": 0.5}}, "/focal_point/y"),
        ({"focal_point": {"x": -0.01, "y": 0.5}}, "/focal_point/x"),
        ({"focal_point": {"x": 0.5, "y": 1.01}}, "/focal_point/y"),
        ({"focal_point": {"x": "0.5", "y": 0.5}}, "/focal_point/x"),
        ({"focal_point": [0.5, 0.5]}, "/focal_point"),
        ({"focal_point": POINT, "state": "ready"}, "/state"),
    ],
)
def test_an_edit_that_says_nothing_or_something_wrong_is_refused(
    ana: Person, pending: str, body: dict[str, object], pointer: str
) -> None:
    answer = edit(ana, pending, body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert ana.media(pending)["focal_point"] is None


def test_a_photo_that_has_not_changed_is_not_sent_again(ana: Person, pending: str) -> None:
    first = get(ana, pending)
    tag = first.headers["ETag"]
    assert not tag.startswith("W/")
    assert first.headers["Cache-Control"] == "private, no-cache"

    same = get(ana, pending, **{"If-None-Match": tag})
    edited = edit(ana, pending, {"focal_point": POINT})
    other = get(ana, pending, **{"If-None-Match": tag})

    assert (same.status_code, same.data) == (304, b"")
    assert (other.status_code, other.headers["ETag"]) == (200, edited.headers["ETag"])


def test_an_edit_of_what_was_changed_meanwhile_is_refused(ana: Person, ben: Person, pending: str) -> None:
    tag = get(ana, pending).headers["ETag"]
    edited = edit(ana, pending, {"alt_text": "A puffin"}, **{"If-Match": tag})
    assert edited.status_code == 200

    late = edit(ana, pending, {"focal_point": POINT}, **{"If-Match": tag})
    unreadable = edit(ana, pending, {"focal_point": POINT}, **{"If-Match": '"that one"'})
    of_ben = edit(ben, pending, {"focal_point": POINT}, **{"If-Match": tag})

    assert (late.status_code, late.get_json()["code"]) == (412, "media_changed")
    assert unreadable.status_code == 412
    assert of_ben.status_code == 404
    assert ana.media(pending)["focal_point"] is None
    again = edit(ana, pending, {"focal_point": POINT}, **{"If-Match": edited.headers["ETag"]})
    assert again.status_code == 200


def test_what_becomes_of_a_photo_stands_in_the_way_of_no_edit(ana: Person, lane: PhotoLane) -> None:
    (media_id,) = ana.upload(PHOTO)
    tag = get(ana, media_id).headers["ETag"]
    run(lane)
    change(media_id, post_id=new_id())
    assert get(ana, media_id).headers["ETag"] != tag

    assert edit(ana, media_id, {"alt_text": "A puffin"}, **{"If-Match": tag}).status_code == 200


def test_words_are_announced_at_once_and_a_point_that_stays_is_not_announced(
    ana: Person, lane: PhotoLane
) -> None:
    (media_id,) = ana.upload(PHOTO)
    edit(ana, media_id, {"focal_point": POINT})
    run(lane)

    edit(ana, media_id, {"focal_point": POINT})
    edit(ana, media_id, {"alt_text": "A puffin", "focal_point": POINT})

    said = [(event["alt_text"], event["focal_point"]) for event in events("media.item.ready.v1")]
    assert said == [(None, POINT), ("A puffin", POINT)]


def test_a_ready_photo_tells_all_that_is_known_of_it(ana: Person, lane: PhotoLane) -> None:
    located, old = ana.upload(photos.located_jpeg(64, 48), PHOTO)
    run(lane)
    # Made before there were receipts.
    change(old, receipt=None, frames=None, content_sha256=None)

    shown, before = ana.media(located), ana.media(old)

    assert ItemSchema().validate(shown) == ItemSchema().validate(before) == {}
    assert "position" in shown["privacy_receipt"]["removed"]
    assert shown["frames"] == 1
    assert shown["original"]["content_type"] == "image/jpeg"
    assert all(size["size_bytes"] > 0 for size in shown["renditions"].values())
    assert {size["is_animated"] for size in shown["renditions"].values()} == {False}
    assert (before["privacy_receipt"], before["frames"]) == (None, None)
