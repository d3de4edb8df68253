"""`make bench ARGS="--only batch"`: ten photos from tap to ready, where the time goes and whose CPU it is."""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
import requests

from bench.batch_tables import Announcement, Batch, Bytes, as_markdown
from bench.meter import Meter
from bench.pictures import portrait
from bench.processes import ServerProcesses
from bench.sockets import SocketMeter
from bench.timed_worker import read_record
from igloo_local.console import Console
from igloo_local.phone import REQUEST_TIMEOUT_SECONDS, Json, Phone, Refused, wait_until
from igloo_local.source import python_path
from igloo_local.stack import Stack

FOLDER: Final = Path("report/bench")
PHOTOS, WARM_PHOTOS = 10, 2
QUALITY: Final = 90
ROUNDS, QUICK_ROUNDS = 3, 1
READY_PAUSE_SECONDS: Final = 0.1
FORM_TIMEOUT_SECONDS: Final = 60.0
_ANNOUNCED: Final = """
SELECT extract(epoch FROM o.published_at - o.created_at)::float,
    extract(epoch FROM i.applied_at - o.created_at)::float
FROM media.outbox AS o JOIN social.inbox AS i USING (event_id)
WHERE o.type = 'media.item.ready.v1' AND o.created_at >= %s
"""

Sender = Callable[[Phone, Sequence[bytes]], tuple[dict[str, float], list[str]]]


def measure_batch(*, quick: bool, broker: str, given: Mapping[str, str]) -> None:
    """Send batches by either way in turns, keep of each the one of median duration, and write the tables."""
    photos = _photos(WARM_PHOTOS + PHOTOS)
    with tempfile.TemporaryDirectory(prefix="igloo-bench-") as folder:
        record = Path(folder) / "record.jsonl"
        with Stack(Path(folder), broker=broker, given=given, console=Console()) as stack:
            _time_the_worker(stack, record)
            runs = Runs(stack, record)
            batches = runs.all(photos, rounds=QUICK_ROUNDS if quick else ROUNDS)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "batch.json").write_text(json.dumps([asdict(batch) for batch in batches], indent=1) + "\n")
    tables = as_markdown(batches)
    (FOLDER / "batch.md").write_text(tables)
    print(tables)


class Runs:
    """Batches sent to one stack."""

    def __init__(self, stack: Stack, record: Path) -> None:
        self._meter = Meter(stack)
        self._pids = {name: pid for name, pid in stack.addresses.pids.items() if "facebook" not in name}
        self._record = record

    def all(self, photos: Sequence[bytes], *, rounds: int) -> list[Batch]:
        """Warm everything up, then send by each way in turns."""
        phone = self._meter.person("Arctic Fox")
        for send in WAYS.values():
            self._sent(phone, "to warm up", send, photos[:WARM_PHOTOS])
        batches = [
            self._sent(phone, way, send, photos[WARM_PHOTOS:])
            for _ in range(rounds)
            for way, send in WAYS.items()
        ]
        return [
            sorted((batch for batch in batches if batch.way == way), key=lambda batch: batch.seconds)[
                rounds // 2
            ]
            for way in WAYS
        ]

    def _sent(self, phone: Phone, way: str, send: Sender, photos: Sequence[bytes]) -> Batch:
        self._meter.settle()
        recorded = len(read_record(self._record))
        servers = {name: ServerProcesses([pid]) for name, pid in self._pids.items()}
        before = {name: server.cpu_seconds() for name, server in servers.items()}
        files_before = _file_bytes(self._pids["media-web"])
        with psycopg.connect(self._meter.database.replace("+psycopg", ""), autocommit=True) as connection:
            row = connection.execute("SELECT now()").fetchone()
            with SocketMeter(self._pids) as sockets:
                steps, upload_ids = send(phone, photos)
                steps["waiting until all are ready"] = _seconds(lambda: _wait_until_ready(phone, upload_ids))
                self._meter.settle()
            announced = connection.execute(_ANNOUNCED, row).fetchall()
        print(f"  {sum(steps.values()):6.2f} s  {way}", flush=True)
        files = _file_bytes(self._pids["media-web"])
        web, s3 = sockets.traffic("media-web"), sockets.traffic("s3")
        return Batch(
            way=way,
            photos=len(photos),
            steps=steps,
            worker=read_record(self._record)[recorded:],
            announcements=[Announcement(published=each[0], applied=each[1]) for each in announced],
            cpu_seconds={name: server.cpu_seconds() - before[name] for name, server in servers.items()},
            bytes=Bytes(
                uploaded=sum(map(len, photos)),
                web_received=web.received,
                web_sent=web.sent,
                web_read=files[0] - files_before[0],
                web_written=files[1] - files_before[1],
                s3_received=s3.received,
            ),
        )


def send_directly(phone: Phone, photos: Sequence[bytes]) -> tuple[dict[str, float], list[str]]:
    """Ask for all targets, send each photo to S3 over one connection, complete all."""
    files = [{"content_type": "image/jpeg", "size_bytes": len(photo)} for photo in photos]
    steps: dict[str, float] = {}
    started = time.monotonic()
    uploads = phone.call("POST", "/v1/uploads", json={"files": files})["data"]
    steps["asking for the targets"] = time.monotonic() - started
    started = time.monotonic()
    with requests.Session() as connection:
        for upload, photo in zip(uploads, photos, strict=True):
            _send(connection, upload["target"], photo)
        steps["sending to S3"] = time.monotonic() - started
    upload_ids = [upload["id"] for upload in uploads]
    steps["completing"] = _seconds(
        lambda: phone.call("POST", "/v1/uploads/complete", json={"upload_ids": upload_ids})
    )
    return steps, upload_ids


def send_form(phone: Phone, photos: Sequence[bytes]) -> tuple[dict[str, float], list[str]]:
    """Send all photos in one form."""
    started = time.monotonic()
    response = phone.http.post(
        f"{phone.gateway}/v1/media",
        files=[("files", (f"{place}.jpg", photo, "image/jpeg")) for place, photo in enumerate(photos)],
        headers={"Authorization": f"Bearer {phone.access_token}", "Idempotency-Key": str(uuid4())},
        timeout=FORM_TIMEOUT_SECONDS,
    )
    if not response.ok:
        raise Refused(response)
    uploads: list[Json] = response.json()["data"]
    return {"sending the form": time.monotonic() - started}, [upload["id"] for upload in uploads]


WAYS: Final[Mapping[str, Sender]] = {
    "targets, then straight to S3": send_directly,
    "one form, POST /v1/media": send_form,
}


def _send(connection: requests.Session, target: Json, photo: bytes) -> None:
    response = connection.request(
        target["method"],
        target["url"],
        data=target["fields"],
        files={"file": photo},
        timeout=REQUEST_TIMEOUT_SECONDS,
    )
    if not response.ok:
        raise Refused(response)


def _wait_until_ready(phone: Phone, upload_ids: Sequence[str]) -> None:
    for upload_id in upload_ids:
        wait_until(
            partial(_state, phone, upload_id),
            lambda state: state == "ready",
            what=f"photo {upload_id} ready",
            timeout_seconds=60,
            pause_seconds=READY_PAUSE_SECONDS,
        )


def _state(phone: Phone, media_id: str) -> str:
    state: str = phone.call("GET", f"/v1/media/{media_id}")["state"]
    return state


def _photos(count: int) -> list[bytes]:
    """Return different photos of about 2.7 MB."""
    face = portrait(1)
    return [bytes((face + place).cast("uchar").jpegsave_buffer(Q=QUALITY)) for place in range(count)]


def _time_the_worker(stack: Stack, record: Path) -> None:
    """Have media's worker start anew with stopwatches."""
    worker = stack.processes["media-worker"]
    worker.stop()
    path = python_path("libs/common", "services/media", "infra/local", "tests")
    worker.command = replace(
        worker.command,
        arguments=[sys.executable, "-m", "bench.timed_worker", str(record)],
        environment={**worker.command.environment, "PYTHONPATH": path},
    )
    stack.parts.services["media"].start_worker()
    stack.write_addresses()


def _file_bytes(root: int) -> tuple[int, int]:
    """Return what the tree has read and written by read() and write(): files and pipes, but no recv()."""
    counted = [_io(process) for process in ServerProcesses([root]).pids()]
    return sum(read for read, _ in counted), sum(written for _, written in counted)


def _io(pid: int) -> tuple[int, int]:
    lines = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(lines["rchar"]), int(lines["wchar"])


def _seconds(do: Callable[[], object]) -> float:
    started = time.monotonic()
    do()
    return time.monotonic() - started
