"""The child process that decodes photos: it stays warm, is bounded in all it does, and dies alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import pyvips

from factories import photos
from igloo_media.images import ImageRejected, ProcessingCrashed, ProcessingTimeout, Renderer
from igloo_media.images.answers import photo_of
from igloo_media.images.limits import ChildLimits
from media.rendering import refusal, render


def test_the_child_survives_refusals_and_stays_warm(renderer: Renderer, tmp_path: Path) -> None:
    render(renderer, tmp_path, photos.jpeg())
    child = renderer.child_id

    assert refusal(renderer, tmp_path, photos.BROKEN_JPEG).code == "unreadable_image"
    render(renderer, tmp_path, photos.jpeg())

    assert renderer.child_id == child


def test_the_child_is_replaced_after_enough_photos(tmp_path: Path) -> None:
    renderer = Renderer(ChildLimits(photos_per_child=1))
    try:
        render(renderer, tmp_path, photos.jpeg())
        first = renderer.child_id
        render(renderer, tmp_path, photos.jpeg())
        assert renderer.child_id != first
    finally:
        renderer.close()


def test_a_photo_that_takes_too_long_is_given_up_and_the_next_one_works(tmp_path: Path) -> None:
    renderer = Renderer(ChildLimits(wall_seconds=3.0))
    try:
        render(renderer, tmp_path, photos.jpeg())
        assert renderer.child_id is not None
        os.kill(renderer.child_id, signal.SIGSTOP)
        with pytest.raises(ProcessingTimeout):
            render(renderer, tmp_path, photos.jpeg())
        assert render(renderer, tmp_path, photos.jpeg()).width == 640
    finally:
        renderer.close()


def test_a_photo_that_burns_too_much_processor_time_ends_the_child(tmp_path: Path) -> None:
    renderer = Renderer(ChildLimits(cpu_seconds=0))
    grain = pyvips.Image.gaussnoise(6_000, 6_000, mean=128, sigma=40).cast("uchar")
    heavy = photos.encoded(grain, ".webp", effort=0)
    try:
        # The system counts whole seconds, so the first may come through; several cannot.
        with pytest.raises(ProcessingTimeout):
            [render(renderer, tmp_path, heavy) for _ in range(5)]
    finally:
        renderer.close()


def test_a_photo_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    renderer = Renderer(ChildLimits(memory_bytes=300 * 1024 * 1024))
    # An interlaced PNG is whole in memory before its first row is known: 200 MB of pixels in 200 kB of file.
    hungry = photos.encoded(photos.corners(7_000, 7_000).bandjoin(255), ".png", interlace=True)
    try:
        with pytest.raises((ImageRejected, ProcessingCrashed)) as refused:
            render(renderer, tmp_path, hungry)
        assert refused.value.code in {"too_much_memory", "processing_crashed"}  # type: ignore[attr-defined]  # both have one
        assert render(renderer, tmp_path, photos.jpeg()).width == 640
    finally:
        renderer.close()


def test_a_killed_child_is_told_apart_and_replaced(tmp_path: Path) -> None:
    renderer = Renderer(ChildLimits())
    try:
        render(renderer, tmp_path, photos.jpeg())
        assert renderer.child_id is not None
        os.kill(renderer.child_id, signal.SIGSTOP)
        threading.Timer(0.2, os.kill, (renderer.child_id, signal.SIGKILL)).start()
        with pytest.raises(ProcessingCrashed):
            render(renderer, tmp_path, photos.jpeg())
        assert render(renderer, tmp_path, photos.jpeg()).width == 640
    finally:
        renderer.close()


ESCAPES = {
    "connects": "import socket; socket.socket()",
    "runs a program": "import os; os.execv('/bin/true', ['true'])",
    "starts a process": "import os; os.fork() or os._exit(0)",
    "ends the worker": "import os; os.kill(os.getppid(), 0)",
    "ends a thread of the worker": (
        "import ctypes, os, platform\n"
        "call = {'x86_64': 234, 'aarch64': 131}[platform.machine()]\n"
        "assert ctypes.CDLL(None).syscall(call, os.getppid(), os.getppid(), 0) == 0"
    ),
    "limits the worker": "import os, resource; resource.prlimit(os.getppid(), resource.RLIMIT_CPU)",
    "makes a folder": "import os, tempfile; os.mkdir(tempfile.gettempdir() + '/escape-%d' % os.getpid())",
    "reads the worker's secrets": "import os; open('/proc/%d/environ' % os.getppid(), 'rb').read()",
    "dumps its memory": "import resource; assert resource.getrlimit(resource.RLIMIT_CORE) != (0, 0)",
}
HARMLESS = {
    "starts a thread": "import threading; one = threading.Thread(target=print); one.start(); one.join()",
    "aborts": "import os, signal; signal.signal(signal.SIGUSR1, print); signal.raise_signal(signal.SIGUSR1)",
    "limits itself": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (60, 60))",
    "writes a file": "import tempfile; tempfile.TemporaryFile().write(b'x')",
}


@pytest.mark.parametrize("deed", [*ESCAPES, *HARMLESS])
def test_a_decoder_that_was_taken_over_gets_nowhere(deed: str) -> None:
    confined = (
        "from igloo_media.images.confinement import confine\n"
        "confine(memory_bytes=1 << 30, written_bytes=1 << 20)\n"
    )
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    def run(code: str) -> int:
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=environment, capture_output=True, check=False).returncode  # noqa: S603 - our own code

    code = {**ESCAPES, **HARMLESS}[deed]
    assert (run(confined + code) == 0) == (deed in HARMLESS)


def test_the_child_is_confined_before_it_sees_a_photo(tmp_path: Path) -> None:
    renderer = Renderer(ChildLimits())
    try:
        render(renderer, tmp_path, photos.jpeg(64, 48))
        status = Path(f"/proc/{renderer.child_id}/status").read_text()
        limits = Path(f"/proc/{renderer.child_id}/limits").read_text()
    finally:
        renderer.close()

    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    assert [line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files")] == [
        ["64", "64"]
    ]


SOUND: dict[str, Any] = {
    "width": 64,
    "height": 48,
    "frames": 1,
    "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
    "dominant_color": "#7a5c3e",
    "receipt": {"removed": ["exif"], "kept": []},
    "renditions": {
        name: {"width": 64, "height": 48, "is_animated": False} for name in ("thumb", "feed", "full")
    },
}
LIES: dict[str, Any] = {
    "no JSON": b"\xff\n",
    "no answer": b"[]\n",
    "no photo": b"{}\n",
    "a size that no column holds": {"width": 10**12},
    "a size of nothing": {"height": 0},
    "a text as a size": {"frames": "1"},
    "words instead of a BlurHash": {"blurhash": "\0" * 28},
    "a colour of its own": {"dominant_color": "#7a5c3e;"},
    "a receipt that tells": {"receipt": {"removed": ["47.05 N, 8.31 E"], "kept": []}},
    "no thumbnail": {"renditions": {"feed": {}, "full": {}}},
    "a refusal with a code of its own": {"rejected": {"code": "media ready\n", "detail": ""}},
}


def _answer(rejected: object = None, **changes: object) -> bytes:
    return json.dumps({"photo": {**SOUND, **changes}, "rejected": rejected}).encode() + b"\n"


def _rendered(folder: Path) -> None:
    for name in ("thumb", "feed", "full"):
        (folder / f"{name}.webp").write_bytes(b"pixels")


def test_an_answer_names_no_file_and_no_type_that_the_worker_would_believe(tmp_path: Path) -> None:
    _rendered(tmp_path)
    told = {"name": "../x", "path": "/etc/hostname", "content_type": "text/html", "size_bytes": 0}
    renditions = {name: {**size, **told} for name, size in SOUND["renditions"].items()}

    photo = photo_of(_answer(renditions=renditions), tmp_path)

    assert [(each.name, each.path, each.content_type, each.size_bytes) for each in photo.renditions] == [
        (name, tmp_path / f"{name}.webp", "image/webp", 6) for name in ("thumb", "feed", "full")
    ]


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_makes_no_sense_is_the_end_of_the_child(lie: str, tmp_path: Path) -> None:
    _rendered(tmp_path)
    told = LIES[lie]

    with pytest.raises(ProcessingCrashed, match="makes no sense"):
        photo_of(told if isinstance(told, bytes) else _answer(**told), tmp_path)


def test_a_rendition_that_leads_elsewhere_is_not_read(tmp_path: Path) -> None:
    _rendered(tmp_path)
    (tmp_path / "feed.webp").unlink()
    with pytest.raises(ProcessingCrashed, match="makes no sense"):
        photo_of(_answer(), tmp_path)

    (tmp_path / "feed.webp").symlink_to("/etc/hostname")
    with pytest.raises(ProcessingCrashed, match="makes no sense"):
        photo_of(_answer(), tmp_path)


def test_an_answer_without_an_end_does_not_fill_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "endless").write_text("#!/bin/sh\nyes | tr -d '\\n'\n")
    (tmp_path / "endless").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "endless"))
    renderer = Renderer(ChildLimits())
    try:
        with pytest.raises(ProcessingCrashed, match="does not end its answer"):
            render(renderer, tmp_path, photos.jpeg(64, 48))
        assert renderer.child_id is None
    finally:
        renderer.close()
