"""What a person in front of the terminal sees: one line a step, with the seconds since the start."""

import sys
import threading
import time
from typing import TextIO

from igloo_local.errors import StackError


class Console:
    """Prints progress; several threads may report at once."""

    def __init__(self, out: TextIO | None = None, *, quiet: bool = False) -> None:
        self._out = out or sys.stdout
        self._quiet = quiet
        self._started = time.monotonic()
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def step(self, text: str) -> None:
        """Report something done."""
        self.say(f"{self.seconds:6.1f} s  {text}")

    def say(self, text: str = "") -> None:
        """Print a line as it is."""
        if not self._quiet:
            with self._lock:
                print(text, file=self._out, flush=True)


def print_failure(error: StackError) -> None:
    """Print why the stack does not run, with the last log lines of the part that failed."""
    for line in error.log_lines:
        print(f"    {line}", file=sys.stderr)
    print(f"igloo: {error}", file=sys.stderr, flush=True)
