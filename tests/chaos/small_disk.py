"""A small filesystem of its own for one part of the stack, which a ballast file fills for real."""

import errno
import os
import shutil
import subprocess
import sys
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

_PIECE = bytes(1 << 20)
_BALLAST = "ballast"


class SmallDisk:
    """A tmpfs at `folder`, where mounting is permitted; `why_not` says in words why there is none."""

    def __init__(self, folder: Path, *, megabytes: int) -> None:
        self.folder = folder
        self.why_not = ""
        self._megabytes = megabytes

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.why_not = self._mount()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.why_not:
            # Lazily: a process that ends at this very moment may still hold a file.
            umount = shutil.which("umount") or "umount"
            subprocess.run([umount, "--lazy", str(self.folder)], check=False)  # noqa: S603 - the system's own

    def fill(self) -> int:
        """Write until nothing more fits; returns how many bytes the ballast has."""
        with (self.folder / _BALLAST).open("ab", buffering=0) as ballast:
            for piece in (_PIECE, _PIECE[:4096]):
                _write_until_full(ballast, piece)
            return ballast.tell()

    def free(self) -> None:
        """Remove the ballast."""
        (self.folder / _BALLAST).unlink(missing_ok=True)

    def _mount(self) -> str:
        mount = shutil.which("mount")
        if sys.platform != "linux" or os.geteuid() != 0 or mount is None:
            return "only root of a Linux machine may mount a filesystem"
        options = f"size={self._megabytes}m,mode=755"
        done = subprocess.run(  # noqa: S603 - the system's own
            [mount, "-t", "tmpfs", "-o", options, "igloo-chaos", str(self.folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr.strip() or "mount failed" if done.returncode else ""


def _write_until_full(ballast: FileIO, piece: bytes) -> None:
    try:
        while ballast.write(piece) == len(piece):
            pass
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
