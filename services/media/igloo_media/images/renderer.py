"""A warm child process that renders photos one by one, replaced when it dies or has made enough of them."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from igloo_media.images.answers import MAX_ANSWER_BYTES, photo_of, rendition_of
from igloo_media.images.limits import ChildLimits
from igloo_media.images.outcome import (
    ImageRejected,
    Photo,
    ProcessingCrashed,
    ProcessingTimeout,
    RenditionFile,
)

Outcome = TypeVar("Outcome", Photo, RenditionFile)

STOP_SECONDS = 5.0
READ_BYTES = 65_536
LAST_WORDS_BYTES = 1_000


class Renderer:
    """Renders photos in a child process; belongs to one thread.

    Starting Python with libvips costs as much CPU as a small photo, so the child stays. It gets no secret:
    its environment holds the module path and libvips' own settings alone.
    """

    def __init__(self, limits: ChildLimits, *, threads: int = 1) -> None:
        self._limits = limits
        self._threads = threads
        self._child: subprocess.Popen[bytes] | None = None
        self._complaints: IO[bytes] | None = None
        self._rendered = 0

    @property
    def child_id(self) -> int | None:
        """The process id of the child, once there is one."""
        return self._child.pid if self._child else None

    def render(self, source: Path, folder: Path, *, focal_point: tuple[float, float] | None = None) -> Photo:
        """Render one photo into the folder, its thumbnail around the focal point or else the middle.

        Raises:
            ImageRejected: the bytes are not a photo that igloo takes.
            ProcessingTimeout: the child used up its CPU or wall time, and was ended.
            ProcessingCrashed: the child died, or does not make sense.
        """
        return self._done("render", source, folder, focal_point, photo_of)

    def cut_thumb(self, source: Path, folder: Path, focal_point: tuple[float, float] | None) -> RenditionFile:
        """Cut the thumbnail anew from the `full` rendition, around the focal point or else the middle.

        Raises:
            ImageRejected: the bytes are not a rendition of ours.
            ProcessingTimeout: the child used up its CPU or wall time, and was ended.
            ProcessingCrashed: the child died, or does not make sense.
        """
        return self._done("cut_thumb", source, folder, focal_point, partial(rendition_of, name="thumb"))

    def _done(
        self,
        task: str,
        source: Path,
        folder: Path,
        focal_point: tuple[float, float] | None,
        read: Callable[[bytes, Path], Outcome],
    ) -> Outcome:
        child = self._ready_child()
        request = {"task": task, "source": str(source), "folder": str(folder), "focal_point": focal_point}
        self._rendered += 1
        try:
            return read(self._ask(child, request), folder)
        except ImageRejected:
            raise
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait(timeout=STOP_SECONDS)
        for stream in (child.stdin, child.stdout, self._complaints):
            if stream is not None:
                stream.close()

    def _ready_child(self) -> subprocess.Popen[bytes]:
        if self._child is not None and (
            self._rendered >= self._limits.photos_per_child or self._child.poll() is not None
        ):
            self.close()
        if self._child is None:
            self._child, self._rendered = self._start(), 0
        return self._child

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "igloo_media.images.child", json.dumps(asdict(self._limits))]
        environment = {
            "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path if path),
            "VIPS_CONCURRENCY": str(self._threads),
            # Loaders that libvips itself does not trust with hostile bytes are switched off.
            "VIPS_BLOCK_UNTRUSTED": "1",
            # Above this libvips would decode to a file: of a photo only its renditions reach the disk.
            "VIPS_DISC_THRESHOLD": "1g",
            "MALLOC_ARENA_MAX": "2",
        }
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        return subprocess.Popen(  # noqa: S603 - a fixed command of our own
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            bufsize=0,
            cwd="/",
            # Ctrl-C in a terminal goes to the whole group: the worker finishes its photo first.
            start_new_session=True,
        )

    def _ask(self, child: subprocess.Popen[bytes], request: dict[str, Any]) -> bytes:
        assert child.stdin is not None  # noqa: S101 - both are pipes, asked for above
        assert child.stdout is not None  # noqa: S101
        deadline = time.monotonic() + self._limits.wall_seconds
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
        except BrokenPipeError as error:
            raise self._death(child) from error
        answer = b""
        while not answer.endswith(b"\n"):
            if not _readable(child.stdout.fileno(), deadline - time.monotonic()):
                raise ProcessingTimeout
            received = os.read(child.stdout.fileno(), READ_BYTES)
            if not received:
                raise self._death(child)
            answer += received
            if len(answer) > MAX_ANSWER_BYTES:
                raise ProcessingCrashed("the child does not end its answer")
        return answer

    def _death(self, child: subprocess.Popen[bytes]) -> Exception:
        status = child.wait(timeout=STOP_SECONDS)
        if status == -signal.SIGXCPU:
            return ProcessingTimeout()
        return ProcessingCrashed(f"the child ended with status {status}: {self._last_words()}")

    def _last_words(self) -> str:
        if self._complaints is None:
            return ""
        size = self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, size - LAST_WORDS_BYTES))
        return self._complaints.read().decode(errors="replace").strip()


def _readable(descriptor: int, seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(max(seconds, 0)))
