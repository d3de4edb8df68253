"""One S3 bucket through the common adapter: what it does, and how it fails."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import requests

from factories.environment import service_environ
from igloo_common import object_store
from igloo_common.ids import new_id
from igloo_common.object_store import ObjectMissing, ObjectStore, StorageSettings, StorageUnavailable
from igloo_common.settings import ConfigurationError, Environment
from igloo_local.parts.seaweed import Seaweed

TEXT = "text/plain"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageSettings]:
    """Give the settings of a real S3 server with a bucket."""
    with Seaweed(tmp_path_factory.mktemp("s3")) as server:
        key_id, secret = server.credentials
        settings = StorageSettings(
            endpoint=server.url,
            public_endpoint=server.url,
            bucket="igloo-common",
            region="us-east-1",
            access_key_id=key_id,
            secret_access_key=secret,
        )
        ObjectStore(settings).inside.create_bucket(Bucket=settings.bucket)
        yield settings


@pytest.fixture(scope="module")
def store(settings: StorageSettings) -> ObjectStore:
    return ObjectStore(settings)


@pytest.fixture
def prefix() -> str:
    """Give a folder that no other test writes to."""
    return f"{new_id()}/"


def keys_below(store: ObjectStore, prefix: str) -> list[str]:
    return [found.key for found in store.listing(prefix)]


def content_of(store: ObjectStore, key: str) -> bytes:
    return b"".join(store.chunks(key))


def fill(store: ObjectStore, prefix: str, count: int) -> None:
    """Put many small objects."""
    keys = [f"{prefix}{number:05}" for number in range(count)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: store.put(key, b"x", content_type=TEXT), keys))


def test_an_object_is_read_as_it_was_put_and_put_over(store: ObjectStore, prefix: str) -> None:
    store.put(f"{prefix}a", b"first", content_type=TEXT)
    store.put(f"{prefix}a", b"second", content_type=TEXT)

    assert content_of(store, f"{prefix}a") == b"second"
    head = store.inside.head_object(Bucket=store.bucket, Key=f"{prefix}a")
    assert head["ContentType"] == TEXT


def test_a_large_file_goes_in_parts_and_comes_in_chunks(
    store: ObjectStore, prefix: str, tmp_path: Path
) -> None:
    file = tmp_path / "archive"
    with file.open("wb") as archive:
        for number in range(20):
            archive.write(bytes([number]) * 1_000_000)

    store.put_file(f"{prefix}archive", file, content_type="application/zip")

    assert [each.size_bytes for each in store.listing(prefix)] == [20_000_000]
    chunks = list(store.chunks(f"{prefix}archive"))
    assert max(len(chunk) for chunk in chunks) <= object_store.CHUNK_BYTES
    assert b"".join(chunks) == file.read_bytes()


def test_who_stops_reading_halfway_gives_the_connection_up(settings: StorageSettings, prefix: str) -> None:
    store = ObjectStore(settings, connections=1)
    store.put(f"{prefix}a", b"x" * 3 * object_store.CHUNK_BYTES, content_type=TEXT)

    for _ in range(3):
        chunks = store.chunks(f"{prefix}a")
        assert next(chunks)
        chunks.close()

    assert len(content_of(store, f"{prefix}a")) == 3 * object_store.CHUNK_BYTES


def test_a_copy_is_the_same_and_stays_when_its_source_goes(store: ObjectStore, prefix: str) -> None:
    store.put(f"{prefix}photo", b"bytes of a photo", content_type="image/webp")

    store.copy(f"{prefix}photo", f"{prefix}copies/photo")
    store.remove([f"{prefix}photo"])

    assert content_of(store, f"{prefix}copies/photo") == b"bytes of a photo"
    head = store.inside.head_object(Bucket=store.bucket, Key=f"{prefix}copies/photo")
    assert head["ContentType"] == "image/webp"


def test_what_is_not_there_cannot_be_read_or_copied(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(ObjectMissing):
        content_of(store, f"{prefix}nothing")
    with pytest.raises(ObjectMissing):
        store.copy(f"{prefix}nothing", f"{prefix}copy")
    assert keys_below(store, prefix) == []


def test_a_listing_goes_on_past_a_thousand_in_the_order_of_the_keys(store: ObjectStore, prefix: str) -> None:
    fill(store, f"{prefix}many/", 1105)
    store.put(f"{prefix}manyfold", b"x", content_type=TEXT)

    listed = keys_below(store, f"{prefix}many/")

    assert listed == [f"{prefix}many/{number:05}" for number in range(1105)]


def test_more_than_a_thousand_are_removed_and_nothing_beside_them(store: ObjectStore, prefix: str) -> None:
    fill(store, f"{prefix}many/", 1105)
    store.put(f"{prefix}manyfold", b"x", content_type=TEXT)

    store.remove([*keys_below(store, f"{prefix}many/"), f"{prefix}many/never-was"])
    store.remove([])

    assert keys_below(store, prefix) == [f"{prefix}manyfold"]


def test_a_folder_is_emptied_with_all_below_it_and_counted(store: ObjectStore, prefix: str) -> None:
    fill(store, f"{prefix}gone/deep/", 1105)
    store.put(f"{prefix}gone/photo", b"x", content_type=TEXT)
    store.put(f"{prefix}gone-not", b"x", content_type=TEXT)

    assert store.remove_below(f"{prefix}gone/") == 1106
    assert store.remove_below(f"{prefix}gone/") == 0

    assert keys_below(store, prefix) == [f"{prefix}gone-not"]


def test_a_download_address_works_without_credentials_and_names_the_file(
    store: ObjectStore, prefix: str, settings: StorageSettings
) -> None:
    store.put(f"{prefix}archive.zip", b"zipped", content_type="application/zip")

    address = store.download_address(f"{prefix}archive.zip", filename="igloo.zip", seconds=60)
    answer = requests.get(address, timeout=10)

    assert (answer.status_code, answer.content) == (200, b"zipped")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="igloo.zip"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    unsigned = requests.get(f"{settings.endpoint}/{store.bucket}/{prefix}archive.zip", timeout=10)
    assert unsigned.status_code == 403
    other = requests.get(address.replace("archive.zip", "other.zip", 1), timeout=10)
    assert other.status_code == 403


def test_a_download_address_is_the_public_one_and_asks_nobody(settings: StorageSettings) -> None:
    away = replace(settings, endpoint="http://127.0.0.1:9", public_endpoint="https://photos.example")

    address = ObjectStore(away).download_address("a", filename="a", seconds=60)

    assert address.startswith("https://photos.example/igloo-common/a?")


def every_call(store: ObjectStore, file: Path) -> list[tuple[str, Callable[[], object]]]:
    """Name each method that asks S3, with a call of it."""
    return [
        ("put", lambda: store.put("a", b"x", content_type=TEXT)),
        ("put_file", lambda: store.put_file("a", file, content_type=TEXT)),
        ("copy", lambda: store.copy("a", "b")),
        ("listing", lambda: list(store.listing("a"))),
        ("chunks", lambda: list(store.chunks("a"))),
        ("remove", lambda: store.remove(["a"])),
        ("remove_below", lambda: store.remove_below("a")),
    ]


def assert_every_call_is_refused(store: ObjectStore, tmp_path: Path, reason: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    for name, call in every_call(store, file):
        with pytest.raises(StorageUnavailable) as refused:
            call()
        assert refused.value.detail in {reason, object_store.SILENT}, name
        assert refused.value.code == "storage_unavailable"


def test_s3_that_is_away_is_a_refusal_of_its_own(settings: StorageSettings, tmp_path: Path) -> None:
    away = ObjectStore(replace(settings, endpoint="http://127.0.0.1:9"))

    assert_every_call_is_refused(away, tmp_path, object_store.SILENT)


def test_s3_that_refuses_is_a_refusal_of_its_own(settings: StorageSettings, tmp_path: Path) -> None:
    stranger = ObjectStore(replace(settings, secret_access_key="another-secret-than-the-one-it-knows"))

    assert_every_call_is_refused(stranger, tmp_path, object_store.REFUSING)


def test_s3_that_says_nothing_is_given_up(settings: StorageSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        store = ObjectStore(replace(settings, endpoint=f"http://127.0.0.1:{mute.getsockname()[1]}"))
        with pytest.raises(StorageUnavailable, match="does not answer"):
            store.put("a", b"x", content_type=TEXT)


class KeepingS3(BaseHTTPRequestHandler):
    """Answers that an object was not removed, as S3 does in a reply that is a success as a whole."""

    REPLY: ClassVar[bytes] = (
        b'<?xml version="1.0"?><DeleteResult><Error><Key>a</Key><Code>InternalError</Code>'
        b"<Message>We encountered an internal error.</Message></Error></DeleteResult>"
    )

    def do_POST(self) -> None:
        """Answer DeleteObjects."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.REPLY)))
        self.end_headers()
        self.wfile.write(self.REPLY)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_an_object_that_s3_keeps_is_not_taken_for_removed(settings: StorageSettings) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), KeepingS3) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            store = ObjectStore(replace(settings, endpoint=f"http://127.0.0.1:{server.server_port}"))
            with pytest.raises(StorageUnavailable, match="1 objects were not removed: InternalError"):
                store.remove(["a", "b"])
        finally:
            server.shutdown()
            thread.join()


def test_threads_may_share_a_store_from_its_first_use_on(settings: StorageSettings, prefix: str) -> None:
    store = ObjectStore(settings)
    together = threading.Barrier(8)

    def write(number: int) -> None:
        together.wait(timeout=10)
        store.put(f"{prefix}{number}", b"x", content_type=TEXT)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))

    assert len(keys_below(store, prefix)) == 8


def test_secrets_are_not_shown(settings: StorageSettings) -> None:
    assert settings.secret_access_key
    assert settings.secret_access_key not in repr(settings)


def test_half_a_pair_of_credentials_is_named() -> None:
    environ = service_environ("media", database_url="postgresql://u:p@127.0.0.1/igloo")
    del environ["IGLOO_S3_SECRET_ACCESS_KEY"]
    env = Environment.load(environ)
    StorageSettings.read(env)

    with pytest.raises(ConfigurationError) as refused:
        env.finish()

    assert "IGLOO_S3_ACCESS_KEY_ID" in "\n".join(refused.value.problems)
