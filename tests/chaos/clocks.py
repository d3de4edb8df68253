"""Clocks of single processes, set by libfaketime: the wall clock jumps, the monotonic one goes on."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from igloo_local.installing import find_faketime

# A process looks at its file this often.
LOOK_SECONDS = 1
_SITE = Path(__file__).parent / "faketime_site"
_SHARED = Path("/dev/shm")  # noqa: S108 - where libfaketime leaves its things
_LEFT_BEHIND = re.compile(r"(?:sem\.faketime_sem|faketime_shm)_(\d+)")


class Clocks:
    """A file a process, which says how far its clock is ahead; without the library there are none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = find_faketime()

    @property
    def can_jump(self) -> bool:
        """Whether the library is on this machine."""
        return self._library is not None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what processes that were killed have left in shared memory."""
        if self._library is not None:
            for path in _SHARED.iterdir():
                found = _LEFT_BEHIND.fullmatch(path.name)
                if found and not psutil.pid_exists(int(found[1])):
                    path.unlink(missing_ok=True)

    def adjust(self, process: str, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Give a worker a clock of its own, which is right until it is told otherwise."""
        if self._library is None or "-worker" not in process:
            return environment
        self.set(process, 0)
        return {
            **environment,
            "LD_PRELOAD": self._library,
            "FAKETIME_TIMESTAMP_FILE": str(self._file(process)),
            "FAKETIME_CACHE_DURATION": str(LOOK_SECONDS),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # What a worker reads of files is theirs, not the clock's.
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": os.pathsep.join([str(_SITE), environment.get("PYTHONPATH", "")]),
        }

    def set(self, process: str, offset_seconds: int) -> None:
        """Have a process believe that it is so much later, or earlier, than it is."""
        written = self._file(process).with_suffix(".new")
        written.write_text(f"{offset_seconds:+d}\n")
        written.rename(self._file(process))

    def _file(self, process: str) -> Path:
        return self._folder / process
