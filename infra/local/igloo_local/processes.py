"""Child processes: started so that they die with us, ended whole, and found again after a crash."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from igloo_local import leftovers
from igloo_local.errors import StackError
from igloo_local.files import last_lines, write_atomically
from igloo_local.settings import inherited_environment
from igloo_local.waiting import wait_until

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

# Linux sends the parent-death signal when the *thread* that forked ends, so one thread that lives as long as
# the process does all the forking. It also keeps the code between fork and exec away from parallel forks.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


@dataclass(frozen=True, kw_only=True)
class Command:
    """A program to start, and how it wants to be asked to stop."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    user: int | None = None
    group: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10


class ChildProcess:
    """One program under a name; it leads its own session, so that all of it can be found and ended."""

    def __init__(
        self,
        name: str,
        command: Command,
        *,
        run_folder: Path,
        log: Path,
        before_start: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.command = command
        self.log = log
        self.wanted = False
        self.starts = 0
        self._record = run_folder / f"{name}.process.json"
        self._before_start = before_start
        self._popen: subprocess.Popen[bytes] | None = None
        # Who restarts a process and who watches over it may start it at the same time.
        self._changing = threading.RLock()

    @property
    def pid(self) -> int | None:
        """The id of the running process, None when it does not run."""
        return self._popen.pid if self._popen is not None and self.running else None

    @property
    def running(self) -> bool:
        """Whether the process runs now."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the last run ended, None while it runs."""
        return None if self._popen is None else self._popen.poll()

    def start(self) -> None:
        """Start the program, after ending whatever an earlier run of it left behind."""
        with self._changing:
            self._start()

    def _start(self) -> None:
        self.end_leftovers()
        self._before_start()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._popen = _spawner.submit(self._spawn).result()
        self.wanted = True
        self.starts += 1
        write_atomically(
            self._record, json.dumps(leftovers.identity(self._popen.pid, self.command.stop_signal))
        )

    def start_task(self) -> None:
        """Start a program that does one thing and ends; it gets a fresh log and is not started again."""
        self.log.unlink(missing_ok=True)
        self.start()
        self.wanted = False

    def wait_for_end(self, *, seconds: float) -> None:
        """Wait until a task has done its work.

        Raises:
            StackError: it fails or takes longer; with its last log lines.
        """
        try:
            wait_until(lambda: not self.running, seconds=seconds, what=f"the end of {self.name}")
        except StackError as error:
            raise StackError(str(error), log_lines=last_lines(self.log)) from error
        finally:
            self.end_leftovers(patience_seconds=0)
        if self.exit_code:
            raise StackError(
                f"{self.name} failed with status {self.exit_code}", log_lines=last_lines(self.log)
            )

    def stop(self, *, patience_seconds: float | None = None) -> None:
        """Ask the program to stop, wait (as its command says, unless told), then end what is left of it."""
        self.wanted = False
        with self._changing:
            self.wanted = False
            self._stop(self.command.stop_seconds if patience_seconds is None else patience_seconds)

    def _stop(self, patience_seconds: float) -> None:
        if self.running:
            self.signal(self.command.stop_signal)
            with contextlib.suppress(StackError):
                wait_until(
                    lambda: not self.running,
                    seconds=patience_seconds,
                    what=f"the end of {self.name}",
                )
        self.end_leftovers(patience_seconds=0)

    def kill(self) -> None:
        """Send SIGKILL to the process, as a crash would end it; what watches it starts it again."""
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it runs."""
        if self._popen is not None:
            self._popen.send_signal(number)

    def end_leftovers(self, *, patience_seconds: float = leftovers.PATIENCE_SECONDS) -> None:
        """End every process of the recorded run, and forget it."""
        leftovers.end(self._record, patience_seconds=patience_seconds)
        if self._popen is not None:
            self._popen.poll()

    def wait_ready(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `ready`, but not for a process that has died.

        Raises:
            StackError: with the last log lines.
        """
        started = time.monotonic()
        try:
            wait_until(
                lambda: not self.running or ready(), seconds=seconds, what=f"{self.name} becoming ready"
            )
        except StackError as error:
            raise StackError(str(error), log_lines=last_lines(self.log)) from error
        if not self.running and not ready():
            after = time.monotonic() - started
            raise StackError(
                f"{self.name} ended with status {self.exit_code} after {after:.1f} s",
                log_lines=last_lines(self.log),
            )

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = self.command
        with self.log.open("ab") as log:
            return subprocess.Popen(
                list(command.arguments),
                cwd=command.folder,
                env={**inherited_environment(), **command.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=command.user,
                group=command.group,
                extra_groups=None if command.user is None else [],
                preexec_fn=_die_with_parent(command.stop_signal),  # noqa: PLW1509 - one prctl call, one forking thread
            )


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Return what the child calls before exec, so that the kernel signals it however this process ends."""
    parent = os.getpid()

    def arrange() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(number))
            if os.getppid() != parent:
                os._exit(1)

    return arrange
