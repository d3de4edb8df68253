"""A disk that fills and a clock that jumps, as a process sees them; or in words why there is none."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.clocks import Clocks
from chaos.small_disk import SmallDisk
from igloo_local.settings import inherited_environment

HOUR = 3600
# Looks at the clock until it has jumped, sleeping as workers do, and says by how much.
LOOK = """
import time
started, began = time.time(), time.monotonic()
print("it looks", flush=True)
while abs(time.time() - started) < 60 and time.monotonic() - began < 10:
    time.sleep(0.05)
print(round((time.time() - started - (time.monotonic() - began)) / 3600))
"""


def test_a_full_disk_refuses_what_is_written_until_the_ballast_is_gone(tmp_path: Path) -> None:
    with SmallDisk(tmp_path / "small", megabytes=2) as disk:
        if disk.why_not:
            # Where nobody may mount, fault runs say so and fill no disk that is not theirs.
            assert "mount" in disk.why_not
            return
        size_bytes = disk.fill()
        with pytest.raises(OSError, match="No space left") as refusal:
            (disk.folder / "log").write_bytes(b"x" * 8192)
        disk.free()
        (disk.folder / "log").write_bytes(b"x" * 8192)

    assert refusal.value.errno == errno.ENOSPC
    assert 1 << 20 < size_bytes <= 2 << 20
    assert not (tmp_path / "small" / "log").exists()


def test_the_clock_of_one_worker_jumps_while_it_goes_on_to_sleep_and_to_count(tmp_path: Path) -> None:
    with Clocks(tmp_path) as clocks:
        told = clocks.adjust("social-worker", {"PYTHONPATH": ""})
        if not clocks.can_jump:
            assert told == {"PYTHONPATH": ""}
            return
        worker = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", LOOK],
            env={**inherited_environment(), **told},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert worker.stdout is not None
        assert worker.stdout.readline() == "it looks\n"
        clocks.set("social-worker", 2 * HOUR)
        said, _ = worker.communicate(timeout=20)

    assert said == "2\n"


def test_only_workers_get_a_clock_of_their_own(tmp_path: Path) -> None:
    assert Clocks(tmp_path).adjust("social-web", {"PYTHONPATH": ""}) == {"PYTHONPATH": ""}
