"""Folders for what is worked on, which is people's own: gone afterwards, however the process ends."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import disk_usage, rmtree
from typing import Final

_PREFIX: Final = "igloo-work-"
_UNLOCKED_PREFIX: Final = "igloo-new-"


@contextmanager
def work_folder() -> Iterator[Path]:
    """Give an empty folder that nobody else can read, and remove it with all that is in it.

    A process that is killed over it cannot: its folder is removed by the next worker that starts here.
    """
    # Locked before it has its name: whoever clears up finds no folder that is about to be locked.
    made = Path(tempfile.mkdtemp(prefix=_UNLOCKED_PREFIX))
    folder = made.with_name(made.name.replace(_UNLOCKED_PREFIX, _PREFIX, 1))
    with _locked(made):
        made.rename(folder)
        try:
            yield folder
        finally:
            rmtree(folder, ignore_errors=True)


def has_room_for(size_bytes: int) -> bool:
    """Tell whether so many bytes more fit on the disk of these folders; one that cannot be asked has none."""
    try:
        return disk_usage(tempfile.gettempdir()).free >= size_bytes
    except OSError:
        return False


def remove_abandoned_folders() -> int:
    """Remove the folders of processes that were killed, and return how many; those in use are left alone."""
    return sum(_removed(folder) for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"))


def _removed(folder: Path) -> bool:
    with suppress(OSError):
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            with _locked(folder):
                rmtree(folder)
                return True
    return False


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, which the kernel lets go of when the process dies.

    Raises:
        BlockingIOError: When somebody else holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
