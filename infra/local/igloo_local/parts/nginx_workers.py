"""The generations of nginx' workers: a reload starts new ones, and the old ones end when they are done."""

import contextlib
from collections.abc import Collection

import psutil

_WORKER = "worker process"
_ENDING = "shutting down"


def workers_of(master_pid: int | None) -> frozenset[int]:
    """Return the ids of the workers that take connections now."""
    return frozenset(
        pid for pid, title in _titles(master_pid).items() if _WORKER in title and _ENDING not in title
    )


def any_left(pids: Collection[int], master_pid: int | None) -> bool:
    """Tell whether any of these workers still answers a request or keeps a client's connection."""
    return not _titles(master_pid).keys().isdisjoint(pids)


def _titles(master_pid: int | None) -> dict[int, str]:
    """Return what each child of the master calls itself; no entry for one that has ended."""
    found: dict[int, str] = {}
    if master_pid is None:
        return found
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(master_pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.status() != psutil.STATUS_ZOMBIE:
                    found[child.pid] = " ".join(child.cmdline())
    return found
