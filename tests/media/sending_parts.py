"""Files sent in parts, as an app does it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import requests

from igloo_media.policies.objects import originals_prefix
from igloo_media.policies.uploads import LARGEST_WHOLE_BYTES, PART_BYTES
from igloo_media.storage import Storage
from media.conftest import Person

# Just too large to have to be sent whole: two parts, the second smaller. S3 cares for no more than that.
LARGE = bytes(LARGEST_WHOLE_BYTES + 1)


def begin(person: Person, upload_id: str) -> list[dict[str, Any]]:
    """Begin, or go on with, a file in parts."""
    answer = person.call("POST", f"/v1/uploads/{upload_id}/parts")
    assert answer.status_code == 200, answer.text
    parts: list[dict[str, Any]] = answer.get_json()["parts"]
    return parts


def listed(person: Person, upload_id: str) -> list[dict[str, Any]]:
    """Look which parts have arrived."""
    answer = person.call("GET", f"/v1/uploads/{upload_id}/parts")
    assert answer.status_code == 200, answer.text
    parts: list[dict[str, Any]] = answer.get_json()["parts"]
    return parts


def put(part: dict[str, Any], file: bytes = LARGE) -> requests.Response:
    """Send one part to its target."""
    start = part["offset_bytes"]
    return requests.put(part["target"]["url"], data=file[start : start + part["size_bytes"]], timeout=20)


def send_parts(person: Person, upload_id: str, file: bytes = LARGE) -> None:
    """Send all parts, the last one first."""
    for part in reversed(begin(person, upload_id)):
        assert put(part, file).status_code == 200


def large_upload(person: Person) -> str:
    """Ask for a large file's upload."""
    (upload,) = person.ask(LARGE)
    upload_id: str = upload["id"]
    return upload_id


def open_in_s3(storage: Storage, owner_id: UUID) -> list[str]:
    """Return S3's names for the uploads in parts that a person has open."""
    answer = storage.inside.list_multipart_uploads(Bucket=storage.bucket, Prefix=originals_prefix(owner_id))
    return [each["UploadId"] for each in answer.get("Uploads", ())]


PARTS_OF_LARGE = [(1, 0, PART_BYTES), (2, PART_BYTES, len(LARGE) - PART_BYTES)]
