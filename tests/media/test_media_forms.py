"""Photos in one form: taken as they are sent, in order, once, and described by the form's texts."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from factories import photos
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_media.jobs.processing import PhotoLane
from igloo_media.models import MediaState, Takedown
from igloo_media.policies.objects import original_key
from igloo_media.schemas.uploads import UploadsSchema
from igloo_media.storage import Storage
from media.conftest import Person, item, run

HARE, FOX, PUFFIN = (photos.jpeg(64, 48, seed=seed) for seed in (1, 2, 3))
Texts = dict[str, list[str]]


def form(*files: bytes, **texts: list[str]) -> dict[str, Any]:
    """Make a form as curl does: each file typed by nothing but its name."""
    parts: MultiDict[str, Any] = MultiDict()
    for number, file in enumerate(files):
        parts.add("files", (BytesIO(file), f"photo-{number}.bin", "application/octet-stream"))
    for name, values in texts.items():
        parts.setlist(name, values)
    return {"data": parts, "content_type": "multipart/form-data"}


def send(person: Person, *files: bytes, **texts: list[str]) -> TestResponse:
    """Send a form as somebody."""
    return person.call("POST", "/v1/media", **form(*files, **texts))


def send_keyed(person: Person, *files: bytes, key: str = "k-1") -> TestResponse:
    """Send a form under an Idempotency-Key."""
    return person.call("POST", "/v1/media", headers={"Idempotency-Key": key}, **form(*files))


def taken(answer: TestResponse) -> list[dict[str, Any]]:
    """Return the uploads of a form that was taken."""
    assert answer.status_code == 201, answer.text
    assert UploadsSchema().validate(answer.get_json()) == {}
    uploads: list[dict[str, Any]] = answer.get_json()["data"]
    return uploads


def stored(storage: Storage, person: Person, upload: dict[str, Any]) -> bytes:
    """Read what lies in S3 of an upload."""
    return b"".join(storage.chunks(original_key(person.id, UUID(upload["id"]))))


def test_photos_of_one_form_are_stored_in_its_order_and_become_ready(
    ana: Person, storage: Storage, lane: PhotoLane
) -> None:
    files = [HARE, photos.encoded(photos.picture(40, 30), ".png"), FOX]

    uploads = taken(send(ana, *files))

    assert [upload["state"] for upload in uploads] == ["processing"] * 3
    assert [upload["content_type"] for upload in uploads] == ["image/jpeg", "image/png", "image/jpeg"]
    assert [stored(storage, ana, upload) for upload in uploads] == files
    assert [item(upload["id"]).sha256 for upload in uploads] == [sha256(file).digest() for file in files]
    run(lane)
    assert [ana.media(upload["media_id"])["state"] for upload in uploads] == ["ready"] * 3


def test_texts_go_to_the_files_in_their_order_and_an_empty_one_is_none(ana: Person) -> None:
    texts: Texts = {
        "alt_text": ["A snow hare", "", "A puffin"],
        "focal_point": ["", "0.25, 1", "0,0.5"],
        "client_id": ["hare", "fox"],
        "sha256": [sha256(HARE).hexdigest().upper()],
    }

    rows = [item(upload["id"]) for upload in taken(send(ana, HARE, FOX, PUFFIN, **texts))]

    assert [row.alt_text for row in rows] == ["A snow hare", None, "A puffin"]
    assert [(row.focal_x, row.focal_y) for row in rows] == [(None, None), (0.25, 1.0), (0.0, 0.5)]
    assert [row.client_id for row in rows] == ["hare", "fox", None]


@pytest.mark.parametrize(
    ("beginning", "content_type"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "image/heif"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf", "image/avif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"GIF89a", "image/gif"),
    ],
)
def test_a_type_is_told_by_the_first_bytes(ana: Person, beginning: bytes, content_type: str) -> None:
    (upload,) = taken(send(ana, beginning + bytes(64)))

    assert upload["content_type"] == content_type


def test_texts_may_come_before_the_files(ana: Person) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="alt_text"\r\n\r\nA fox\r\n'
        b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\n' + FOX + b"\r\n--x--\r\n"
    )

    (upload,) = taken(
        ana.call("POST", "/v1/media", data=body, content_type='multipart/form-data; boundary="x"')
    )

    assert upload["alt_text"] == "A fox"


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "a\\b.jpg", "gpj.\u202efox.jpg", "a%00b", "x" * 300, "…"],
)
def test_what_a_file_is_called_is_neither_used_nor_kept(ana: Person, name: str) -> None:
    parts = MultiDict({"files": [(BytesIO(HARE), name, "image/heic")], "alt_text": "A hare"})

    (upload,) = taken(ana.call("POST", "/v1/media", data=parts, content_type="multipart/form-data"))

    assert all(not isinstance(value, str) or name not in value for value in item(upload["id"]))
    assert upload["content_type"] == "image/jpeg"


def test_the_same_client_id_and_file_answer_with_the_same_upload(
    ana: Person, storage: Storage, lane: PhotoLane
) -> None:
    (first,) = taken(send(ana, HARE, client_id=["hare"]))
    run(lane)
    storage.remove([original_key(ana.id, UUID(first["id"]))])

    again, new = taken(send(ana, HARE, FOX, client_id=["hare"]))

    assert (again["id"], again["state"]) == (first["id"], "ready")
    assert new["id"] != first["id"]
    assert storage.size_of(original_key(ana.id, UUID(first["id"]))) is None, "stored again for nothing"


def test_a_pending_upload_of_the_same_file_is_finished(ana: Person, storage: Storage) -> None:
    (asked,) = ana.ask(HARE, client_id="hare", sha256=sha256(HARE).hexdigest())

    (upload,) = taken(send(ana, HARE, client_id=["hare"]))

    assert (upload["id"], upload["state"]) == (asked["id"], "processing")
    assert stored(storage, ana, upload) == HARE


def test_a_client_id_is_not_taken_for_another_file(ana: Person) -> None:
    taken(send(ana, HARE, client_id=["hare"]))

    answer = send(ana, FOX, client_id=["hare"])

    assert (answer.status_code, answer.get_json()["code"]) == (409, "client_id_reused")


def test_the_same_key_gets_the_first_reply_whatever_boundary_comes(ana: Person) -> None:
    first, again = send_keyed(ana, HARE, FOX), send_keyed(ana, HARE, FOX)

    assert taken(again) == taken(first)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(ana.call("GET", "/v1/uploads").get_json()["data"]) == 2


@pytest.mark.parametrize("files", [(FOX, HARE), (HARE,), (HARE, FOX, FOX)])
def test_the_same_key_with_other_files_is_refused(ana: Person, files: tuple[bytes, ...]) -> None:
    taken(send_keyed(ana, HARE, FOX))

    answer = send_keyed(ana, *files)

    assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency_key_reused")


def test_what_a_moderator_took_down_is_refused_before_it_is_stored(ana: Person) -> None:
    with transaction() as session:
        session.add(Takedown(post_id=new_id(), sha256=sha256(FOX).digest(), decided_at=utc_now()))

    answer = send(ana, HARE, FOX)

    assert (answer.status_code, answer.get_json()["code"]) == (409, "media_refused")
    assert ana.call("GET", "/v1/uploads").get_json()["data"] == []


def test_uploads_count_towards_the_rate(ana: Person) -> None:
    assert "RateLimit" in send(ana, HARE).headers


def test_a_stranger_may_not_upload(app: Flask) -> None:
    answer = app.test_client().post("/v1/media", **form(HARE))

    assert answer.status_code == 401


def test_a_form_leaves_no_row_that_nobody_asked_for(ana: Person) -> None:
    uploads = taken(send(ana, HARE, HARE))

    assert len({upload["id"] for upload in uploads}) == 2
    assert {item(upload["id"]).state for upload in uploads} == {MediaState.UPLOADED}
