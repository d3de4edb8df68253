"""Processes of an earlier run: recognised by id and start time, ended by id; no other one is touched."""

import contextlib
import json
import os
import signal
from pathlib import Path
from typing import TypedDict

import psutil

# The start time is computed from the boot time, which a clock correction may move by a second.
_CLOCK_TOLERANCE_SECONDS = 3.0
PATIENCE_SECONDS = 5.0
_KILL_SECONDS = 5.0


class Identity(TypedDict):
    """What tells a process from a later one that got the same id."""

    pid: int
    started: float
    stop_signal: int


def identity(pid: int, stop_signal: int = signal.SIGTERM) -> Identity:
    """Describe a running process; one that has just died counts as started now."""
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        started = 0.0
    return Identity(pid=pid, started=started, stop_signal=int(stop_signal))


def is_alive(one: Identity) -> bool:
    """Tell whether exactly this process still runs."""
    try:
        process = psutil.Process(one["pid"])
        return process.status() != psutil.STATUS_ZOMBIE and _same_start(process, one)
    except psutil.NoSuchProcess:
        return False


def end(record: Path, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """End the process recorded in a file, and its whole session, then remove the record.

    Each is asked first, unless `patience_seconds` is zero, and killed when it has not ended by then.
    """
    one = _read(record)
    if one is None:
        return
    found = _session_of(one)
    if patience_seconds:
        for process in found:
            _send(process, one["stop_signal"] if process.pid == one["pid"] else signal.SIGTERM)
        psutil.wait_procs(found, timeout=patience_seconds)
    stubborn = _session_of(one)
    for process in stubborn:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=_KILL_SECONDS)
    record.unlink(missing_ok=True)


def _read(record: Path) -> Identity | None:
    try:
        content = json.loads(record.read_text())
        return Identity(
            pid=int(content["pid"]),
            started=float(content["started"]),
            stop_signal=int(content["stop_signal"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        record.unlink(missing_ok=True)
        return None


def _session_of(one: Identity) -> list[psutil.Process]:
    """Return the living processes of the session that the recorded process led.

    A session keeps its number reserved as long as it has a member, so a member is ours unless the number was
    taken anew: by a process of that id with another start time, or before the machine booted.
    """
    if one["started"] < psutil.boot_time() - _CLOCK_TOLERANCE_SECONDS or _number_reused(one):
        return []
    return [process for process in psutil.process_iter() if _belongs(process, one)]


def _number_reused(one: Identity) -> bool:
    try:
        return not _same_start(psutil.Process(one["pid"]), one)
    except psutil.NoSuchProcess:
        return False


def _belongs(process: psutil.Process, one: Identity) -> bool:
    try:
        return (
            os.getsid(process.pid) == one["pid"]
            and process.create_time() >= one["started"] - _CLOCK_TOLERANCE_SECONDS
            and process.status() != psutil.STATUS_ZOMBIE
        )
    except (psutil.NoSuchProcess, ProcessLookupError, PermissionError):
        return False


def _same_start(process: psutil.Process, one: Identity) -> bool:
    return abs(process.create_time() - one["started"]) <= _CLOCK_TOLERANCE_SECONDS


def _send(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
