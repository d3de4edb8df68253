"""One run at a time in one folder."""

import fcntl
import json
import os
from pathlib import Path
from typing import IO

from igloo_local.errors import AlreadyRunning, StackError


class FolderLock:
    """A lock that the kernel releases when its holder dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the lock and write our process id into it.

        Raises:
            AlreadyRunning: another process holds it; says where that one runs.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = (self._folder / "run.lock").open("a+")
        except OSError as error:
            raise StackError(f"{self._folder} cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise AlreadyRunning(self._holder()) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let the next run in."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def holder_pid(self) -> int | None:
        """Return the process that runs the stack in this folder, None when there is none."""
        try:
            with (self._folder / "run.lock").open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int((self._folder / "run.lock").read_text() or 0) or None
        except FileNotFoundError:
            return None
        return None

    def _holder(self) -> str:
        where = f"in {self._folder} as process {self.holder_pid()}"
        try:
            gateway = json.loads((self._folder / "stack.json").read_text())["gateway"]
        except (OSError, ValueError, KeyError):
            return f"already starting {where}"
        return f"already running at {gateway} ({where})"
