"""What stops the local stack from starting, in words for the person who started it."""

from collections.abc import Sequence


class StackError(Exception):
    """The stack cannot run; the message says why, `log_lines` are the last words of the part that failed."""

    def __init__(self, message: str, *, log_lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.log_lines = tuple(log_lines)


class AlreadyRunning(StackError):
    """Another run of the stack holds this folder."""


class PortTaken(StackError):
    """A port that was asked for by number belongs to somebody else."""
