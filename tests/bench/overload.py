"""`make bench ARGS="--only overload"`: what four times as many requests as can be served do to a service."""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from bench import photos
from bench.dataset import Reader, fill, illustration_of, unfinished_events
from bench.meter import Meter
from bench.open_loop import Plan, Sent
from bench.overload_tables import Overload, Phase, Sample, as_markdown
from bench.processes import ServerProcesses
from igloo_local.console import Console
from igloo_local.phone import Phone, wait_until
from igloo_local.stack import Stack

FOLDER: Final = Path("report/bench")
FOLLOWEES: Final = 500
TIMES_CAPACITY: Final = 4
SECONDS, QUICK_SECONDS = 20.0, 5.0
AFTER_SECONDS: Final = 12.0
# Nine of ten read, one writes. A page of fifty takes Python so long that the generator is not what is
# measured.
READS_PER_WRITE: Final = 9
PAGE: Final = 50
# One process of two threads: the other core is for the generator, nginx and PostgreSQL.
PLACES: Final = {"IGLOO_WEB_WORKERS": "1", "IGLOO_THREADS": "2"}
_LOOK_SECONDS: Final = 0.25


def measure_overload(*, quick: bool, broker: str, given: Mapping[str, str]) -> None:
    """Find the capacity, send four times as much, and write what became of it."""
    with (
        tempfile.TemporaryDirectory(prefix="igloo-bench-") as folder,
        Stack(Path(folder), broker=broker, given={**given, **PLACES}, console=Console()) as stack,
    ):
        run = Run(stack).all(QUICK_SECONDS if quick else SECONDS)
    FOLDER.mkdir(parents=True, exist_ok=True)
    tables = as_markdown(run)
    (FOLDER / "overload.json").write_text(json.dumps(_kept(run), indent=1) + "\n")
    (FOLDER / "overload.md").write_text(tables)
    print(tables)


class Run:
    """The loads, one after the other, against one stack."""

    def __init__(self, stack: Stack) -> None:
        self._meter = Meter(stack)
        self._pids = {name: pid for name, pid in stack.addresses.pids.items() if "facebook" not in name}
        self._port = urlsplit(stack.addresses.gateway).port or 0
        self._requests: list[str] = []
        self._samples: list[Sample] = []

    def all(self, seconds: float) -> Overload:
        """Warm up, then load more and more, and then look how it recovers."""
        self._requests = _requests(*_people(self._meter))
        self._load("warming up", seconds=3, connections=2)
        self._meter.settle()
        with self._sampling():
            unloaded = self._load("one at a time", seconds=seconds / 2, connections=1)
            capacity = self._load("as many as there are threads", seconds=seconds / 2, connections=2)
            rate = len(capacity.accepted) / capacity.seconds
            self._meter.settle()
            half = self._load("half the capacity", seconds=seconds / 2, rate=rate / 2)
            self._meter.settle()
            begun = time.monotonic()
            overload = self._load(f"{TIMES_CAPACITY} times the capacity", seconds=seconds, rate=rate * 4)
            ended = time.monotonic()
            after = self._load("afterwards, one at a time", seconds=AFTER_SECONDS, connections=1)
            self._meter.settle()
            time.sleep(2 * _LOOK_SECONDS)
        return Overload(
            unloaded=unloaded,
            capacity=capacity,
            half=half,
            overload=overload,
            after=after,
            samples=self._samples,
            begun=begun,
            ended=ended,
        )

    def _load(self, name: str, *, seconds: float, rate: float = 0.0, connections: int = 0) -> Phase:
        plan = Plan(
            port=self._port,
            requests=self._requests,
            weights=[READS_PER_WRITE, 1],
            seconds=seconds,
            rate=rate,
            connections=connections,
        )
        done = subprocess.run(
            [sys.executable, "-m", "bench.open_loop"],
            input=json.dumps(asdict(plan)).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        told = json.loads(done.stdout)
        sent = [Sent(**each) for each in told["sent"]]
        print(f"  {len(sent) / seconds:8.0f} requests/s  {name}", flush=True)
        return Phase(name=name, seconds=seconds, sent=sent, generator_cpu_seconds=told["cpu_seconds"])

    @contextmanager
    def _sampling(self) -> Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(target=self._sample_until, args=[over], daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _sample_until(self, over: threading.Event) -> None:
        trees = {name: ServerProcesses([pid]) for name, pid in self._pids.items()}
        while not over.wait(_LOOK_SECONDS):
            self._samples.append(
                Sample(
                    at=time.monotonic(),
                    resident_bytes={name: _resident(tree.pids()) for name, tree in trees.items()},
                    unfinished_events=unfinished_events(self._meter.database),
                )
            )


def _people(meter: Meter) -> tuple[Phone, Phone]:
    """Fill the town, and return somebody who reads and somebody who writes in it."""
    reader, writer = meter.person("Snow Hare"), meter.person("Arctic Fox")
    media = writer.upload([photos.twelve_megapixels(1)])
    post = writer.post("the first of the town", media)
    wait_until(
        lambda: writer.call("GET", f"/v1/posts/{post['id']}")["state"],
        lambda state: state == "published",
        what="the first post published",
    )
    fill(
        meter.database,
        readers=[Reader(user_id=str(reader.user_id), followees=FOLLOWEES)],
        writer=str(writer.user_id),
        illustration=illustration_of(meter.database, post["id"]),
    )
    return reader, writer


def _requests(reader: Phone, writer: Phone) -> list[str]:
    body = '{"caption": "one of many"}'
    return [
        f"GET /v1/feed?limit={PAGE} HTTP/1.1\r\nHost: igloo\r\n"
        f"Authorization: Bearer {reader.access_token}\r\n\r\n",
        "POST /v1/posts HTTP/1.1\r\nHost: igloo\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {writer.access_token}\r\nIdempotency-Key: {{key}}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}",
    ]


def _resident(pids: Sequence[int]) -> int:
    sizes = 0
    for pid in pids:
        try:
            sizes += psutil.Process(pid).memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return sizes


def _kept(run: Overload) -> dict[str, object]:
    """Return what programs may want: figures and samples, without the single requests."""
    phases = (run.unloaded, run.capacity, run.half, run.overload, run.after)
    return {
        "table": as_markdown(run),
        "capacity_per_second": run.capacity_per_second,
        "slowdown": run.slowdown,
        "requests_normal_after_seconds": run.requests_normal_after,
        "events_normal_after_seconds": run.events_normal_after,
        "phases": [
            {
                "name": phase.name,
                "seconds": phase.seconds,
                "sent": len(phase.sent),
                "accepted": len(phase.accepted),
                "shed": len(phase.shed),
                "others": phase.others,
            }
            for phase in phases
        ],
        "samples": [asdict(sample) for sample in run.samples],
    }
