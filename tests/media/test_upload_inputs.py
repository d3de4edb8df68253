"""What is no upload: refused by name, whatever a client sends."""

from __future__ import annotations

from typing import Any

import pytest

from factories import photos
from igloo_common.ids import new_id
from media.answers import code_of, pointers_of
from media.conftest import Person, change, item

PHOTO = photos.jpeg(64, 48)
FILE = {"content_type": "image/jpeg", "size_bytes": len(PHOTO)}


@pytest.mark.parametrize(
    ("files", "pointer"),
    [
        ([], "/files"),
        ([FILE] * 11, "/files"),
        ([{"content_type": "image/jpeg"}], "/files/0/size_bytes"),
        ([{**FILE, "size_bytes": 25_000_001}], "/files/0/size_bytes"),
        ([{**FILE, "size_bytes": 0}], "/files/0/size_bytes"),
        ([{**FILE, "size_bytes": "many"}], "/files/0/size_bytes"),
        ([{**FILE, "size_bytes": "5"}], "/files/0/size_bytes"),
        ([{**FILE, "size_bytes": 5.0}], "/files/0/size_bytes"),
        ([{**FILE, "size_bytes": True}], "/files/0/size_bytes"),
        ([{**FILE, "size_bytes": -1}], "/files/0/size_bytes"),
        ([{**FILE, "size_bytes": 2**63}], "/files/0/size_bytes"),
        ([{**FILE, "content_type": "IMAGE/JPEG"}], "/files/0/content_type"),
        ([{**FILE, "content_type": "image/tiff"}], "/files/0/content_type"),
        ([FILE, {**FILE, "content_type": "image/svg+xml"}], "/files/1/content_type"),
        ([{**FILE, "sha256": "abc"}], "/files/0/sha256"),
        ([{**FILE, "key": "originals/of/somebody"}], "/files/0/key"),
        ([{**FILE, "client_id": "a"}, {**FILE, "client_id": "a"}], "/files/0/client_id"),
        ([{**FILE, "alt_text": "\u202eA walrus"}], "/files/0/alt_text"),
        ([{**FILE, "alt_text": "\u3164"}], "/files/0/alt_text"),
        ([{**FILE, "alt_text": "x" * 1001}], "/files/0/alt_text"),
        ([{**FILE, "alt_text": "A\0walrus"}], "/files/0/alt_text"),
        ([{**FILE, "client_id": "a\0b"}], "/files/0/client_id"),
        ([{**FILE, "client_id": ""}], "/files/0/client_id"),
        ([{**FILE, "client_id": "x" * 65}], "/files/0/client_id"),
        ([{**FILE, "client_id": 7}], "/files/0/client_id"),
        ([{**FILE, "focal_point": {"x": 1.01, "y": 0}}], "/files/0/focal_point/x"),
        ([{**FILE, "focal_point": {"x": 0, "y": -0.01}}], "/files/0/focal_point/y"),
        ([{**FILE, "focal_point": {"x": "0.5", "y": 0}}], "/files/0/focal_point/x"),
        ([{**FILE, "focal_point": {"x": True, "y": 0}}], "/files/0/focal_point/x"),
        ([{**FILE, "focal_point": {"x": 0.5}}], "/files/0/focal_point/y"),
        ([{**FILE, "focal_point": {"x": 0.5, "y": None}}], "/files/0/focal_point/y"),
        ([{**FILE, "focal_point": {"x": 0, "y": 0, "z": 0}}], "/files/0/focal_point/z"),
        ([{**FILE, "focal_point": [0, 0]}], "/files/0/focal_point"),
        (["photo.jpg"], "/files/0"),
        ("photo.jpg", "/files"),
    ],
)
def test_what_cannot_be_uploaded_is_named(ana: Person, files: list[Any], pointer: str) -> None:
    answer = ana.call("POST", "/v1/uploads", json={"files": files})

    assert code_of(answer) == (422, "validation_failed")
    assert pointer in pointers_of(answer)


@pytest.mark.parametrize(
    "body",
    [
        b'{"files": [',
        b'{"files": [{"content_type": "image/jpeg", "size_bytes": NaN}]}',
        b'{"files": [{"content_type": "image/jpeg", "size_bytes": 5, "focal_point": {"x": NaN, "y": 0}}]}',
        b'{"files": [{"content_type": "image/jpeg", "size_bytes": 5, "client_id": "\\ud83d"}]}',
        b'{"files": [{"content_type": "image/jpeg", "size_bytes": 5, "alt_text": "\\udc00"}]}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_json_is_told_as_such(ana: Person, body: bytes) -> None:
    answer = ana.call("POST", "/v1/uploads", data=body, content_type="application/json")

    assert code_of(answer) == (400, "malformed_json")


def test_a_body_of_ten_megabytes_is_not_read(ana: Person) -> None:
    for path in ("/v1/uploads", "/v1/uploads/complete"):
        answer = ana.call("POST", path, data=b" " * 10_000_000, content_type="application/json")
        assert code_of(answer) == (413, "too_large")


@pytest.mark.parametrize(
    ("ids", "pointer"),
    [
        ([], "/upload_ids"),
        ([str(new_id()) for _ in range(11)], "/upload_ids"),
        (["7"], "/upload_ids/0"),
        ([str(new_id()), None], "/upload_ids/1"),
        ([7], "/upload_ids/0"),
        ("all", "/upload_ids"),
    ],
)
def test_what_cannot_be_completed_is_named(ana: Person, ids: Any, pointer: str) -> None:  # noqa: ANN401 - JSON
    answer = ana.call("POST", "/v1/uploads/complete", json={"upload_ids": ids})

    assert code_of(answer) == (422, "validation_failed")
    assert pointer in pointers_of(answer)


@pytest.mark.parametrize(
    "content_type", ["image/png", "image/webp", "image/gif", "image/avif", "image/heic", "image/heif"]
)
def test_every_type_of_photo_is_asked_for(ana: Person, content_type: str) -> None:
    answer = ana.call("POST", "/v1/uploads", json={"files": [{**FILE, "content_type": content_type}]})

    (upload,) = answer.get_json()["data"]
    assert (answer.status_code, upload["target"]["fields"]["Content-Type"]) == (201, content_type)


def test_a_focal_point_is_kept(ana: Person) -> None:
    files = [{**FILE, "focal_point": {"x": 0, "y": 1}}, FILE, {**FILE, "focal_point": {"x": 0.25, "y": 0.75}}]

    uploads = ana.call("POST", "/v1/uploads", json={"files": files}).get_json()["data"]

    points = [{"x": 0.0, "y": 1.0}, None, {"x": 0.25, "y": 0.75}]
    assert [upload["focal_point"] for upload in uploads] == points
    again = ana.call("GET", "/v1/uploads").get_json()["data"]
    assert [upload["focal_point"] for upload in again] == points[::-1]
    assert (item(uploads[2]["id"]).focal_x, item(uploads[2]["id"]).focal_y) == (0.25, 0.75)


def test_a_cursor_of_another_person_is_refused(ana: Person, ben: Person) -> None:
    ana.ask(PHOTO)
    ben.ask(PHOTO)
    cursor = ana.call("GET", "/v1/uploads").get_json()["page"]["prev_cursor"]

    assert code_of(ben.call("GET", f"/v1/uploads?cursor={cursor}")) == (400, "invalid_cursor")


def test_what_is_deleted_or_expired_is_not_completed(ana: Person) -> None:
    deleted, expired = (upload["id"] for upload in ana.ask(PHOTO, PHOTO))
    ana.call("DELETE", f"/v1/uploads/{deleted}")
    change(expired, state="expired", due_at=None)

    assert code_of(ana.call("POST", f"/v1/uploads/{deleted}/complete")) == (404, "upload_not_found")
    assert code_of(ana.call("POST", f"/v1/uploads/{expired}/complete")) == (410, "upload_expired")
    for rest in ("", "/complete", "/parts"):
        assert ana.call("POST", f"/v1/uploads/not-an-id{rest}").status_code == 404
