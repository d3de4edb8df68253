"""What S3 itself takes and refuses on the targets that the service signs."""

from __future__ import annotations

import os
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import requests

from igloo_common.ids import new_id
from igloo_common.object_store import ObjectMissing, StorageUnavailable
from igloo_common.object_transfers import FileReplaced
from igloo_media.settings import Settings
from igloo_media.storage import ObjectTooLarge, Storage, Target
from media.conftest import send, wait_until

NOW = datetime(2026, 11, 23, 12, 10, tzinfo=UTC)


def target_for(storage: Storage, key: str, size_bytes: int, *, checksum: bytes | None = None) -> Target:
    return storage.upload_target(
        key,
        content_type="image/jpeg",
        size_bytes=size_bytes,
        sha256=checksum,
        lifetime=timedelta(seconds=60),
    )


def post(target: Target, file: bytes, **changed: str) -> requests.Response:
    return send({"url": target.url, "fields": target.fields}, file, **changed)


@pytest.fixture
def key() -> str:
    return f"originals/somebody/{new_id()}"


def test_the_announced_file_is_taken(storage: Storage, key: str) -> None:
    assert post(target_for(storage, key, 5), b"photo").status_code == 204
    assert storage.size_of(key) == 5


@pytest.mark.parametrize("file", [b"a photo that is larger than announced", b"tiny", b""])
def test_a_file_of_another_size_is_refused_by_s3(storage: Storage, key: str, file: bytes) -> None:
    answer = post(target_for(storage, key, 5), file)

    assert 400 <= answer.status_code < 500
    assert storage.size_of(key) is None


def test_another_content_type_is_refused_by_s3(storage: Storage, key: str) -> None:
    answer = post(target_for(storage, key, 5), b"photo", **{"Content-Type": "text/html"})

    assert answer.status_code == 403
    assert storage.size_of(key) is None


def test_another_key_is_refused_by_s3(storage: Storage, key: str) -> None:
    answer = post(target_for(storage, key, 5), b"photo", key="originals/somebody/else")

    assert answer.status_code == 403
    assert storage.size_of("originals/somebody/else") is None


def test_the_file_of_the_announced_checksum_is_taken_and_no_other_of_its_size(
    storage: Storage, key: str
) -> None:
    target = target_for(storage, key, 5, checksum=sha256(b"photo").digest())

    assert post(target, b"other").status_code == 400
    assert storage.size_of(key) is None
    assert post(target, b"photo").status_code == 204
    assert storage.size_of(key) == 5


def test_the_checksum_is_neither_left_out_nor_changed(storage: Storage, key: str) -> None:
    target = target_for(storage, key, 5, checksum=sha256(b"photo").digest())
    of_another = b64encode(sha256(b"other").digest()).decode()
    unsummed = {name: value for name, value in target.fields.items() if "checksum" not in name}

    assert post(target, b"other", **{"x-amz-checksum-sha256": of_another}).status_code == 403
    assert post(replace(target, fields=unsummed), b"other").status_code == 403
    assert storage.size_of(key) is None


def test_an_unsigned_read_is_refused_by_s3(storage: Storage, key: str, settings: Settings) -> None:
    post(target_for(storage, key, 5), b"photo")

    answer = requests.get(f"{settings.storage.endpoint}/{storage.bucket}/{key}", timeout=10)

    assert answer.status_code == 403


def test_a_read_address_works_and_stays_the_same_for_a_while(
    storage: Storage, key: str, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "rendition"
    file.write_bytes(b"bytes of a rendition")
    storage.upload(key, file, content_type="image/webp")

    address = storage.read_address(key, now=NOW)
    answer = requests.get(f"{settings.storage.endpoint}{address}", timeout=10)

    assert (answer.content, answer.headers["Content-Type"]) == (b"bytes of a rendition", "image/webp")
    # A signature holds the second in which it was made: the next one would differ.
    signed_at = int(time.time())
    wait_until(lambda: int(time.time()) > signed_at, "another second begins")
    assert storage.read_address(key, now=NOW + timedelta(minutes=40)) == address


@pytest.mark.parametrize("kind", ["a link", "a named pipe", "a folder", "nothing"])
def test_what_is_no_file_of_its_own_is_not_sent(
    storage: Storage, key: str, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "elsewhere").write_bytes(b"something of the worker's own")
    rendition = tmp_path / "rendition"
    make: dict[str, Callable[[], object]] = {
        "a link": lambda: rendition.symlink_to(tmp_path / "elsewhere"),
        "a named pipe": lambda: os.mkfifo(rendition),
        "a folder": rendition.mkdir,
        "nothing": lambda: None,
    }
    make[kind]()

    with pytest.raises(FileReplaced):
        storage.upload(key, rendition, content_type="image/webp")

    assert storage.size_of(key) is None


def test_phones_get_the_public_address(settings: Settings, key: str) -> None:
    public = replace(settings.storage, public_endpoint="https://photos.example")

    target = target_for(Storage(public), key, 5)

    assert target.url == f"https://photos.example/{public.bucket}"
    assert target.fields["key"] == key


def test_a_download_is_measured_and_summed(storage: Storage, key: str, tmp_path: Path) -> None:
    post(target_for(storage, key, 5), b"photo")

    checksum = storage.download(key, tmp_path / "copy", max_bytes=5)

    assert checksum == sha256(b"photo").digest()
    assert (tmp_path / "copy").read_bytes() == b"photo"
    with pytest.raises(ObjectTooLarge):
        storage.download(key, tmp_path / "copy", max_bytes=4)
    with pytest.raises(ObjectMissing):
        storage.download(f"{key}-not", tmp_path / "copy", max_bytes=5)


def test_removing_is_complete_and_harmless_when_repeated(storage: Storage, key: str) -> None:
    post(target_for(storage, key, 5), b"photo")

    storage.remove([key, f"{key}-never-was"])
    storage.remove([key])

    assert storage.size_of(key) is None


def test_preparing_again_is_harmless(storage: Storage, key: str) -> None:
    post(target_for(storage, key, 5), b"photo")

    storage.prepare()

    assert storage.size_of(key) == 5


def test_the_bucket_itself_drops_old_originals_and_old_exports(storage: Storage) -> None:
    rules = storage.inside.get_bucket_lifecycle_configuration(Bucket=storage.bucket)["Rules"]

    kept = {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in rules if "Expiration" in rule}
    assert kept == {"originals/": 7, "exports/": 8}
    assert {rule["Status"] for rule in rules} == {"Enabled"}


def test_a_browser_of_any_origin_may_post(storage: Storage, settings: Settings) -> None:
    preflight = requests.options(
        f"{settings.storage.endpoint}/{storage.bucket}",
        headers={"Origin": "https://demo.example", "Access-Control-Request-Method": "POST"},
        timeout=10,
    )

    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] in {"*", "https://demo.example"}


def test_s3_being_away_is_a_refusal_of_its_own(settings: Settings, key: str) -> None:
    away = Storage(replace(settings.storage, endpoint="http://127.0.0.1:9"))

    with pytest.raises(StorageUnavailable):
        away.size_of(key)
    assert target_for(away, key, 5).url, "signing asks nobody"
