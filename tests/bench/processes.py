"""Sums the CPU time of all server-side processes, so that no part can hide its cost in another."""

from collections.abc import Iterable

import psutil


class ServerProcesses:
    """The processes of a running stack and all their descendants, whoever started them."""

    def __init__(self, root_pids: Iterable[int]) -> None:
        self._roots = tuple(root_pids)
        self._ended_seconds = 0.0
        self._last_seen: dict[tuple[int, float], float] = {}

    def cpu_seconds(self) -> float:
        """Return user + system seconds so far; a process that has ended keeps what it was last seen with."""
        seen = {(p.pid, p.create_time()): seconds for p, seconds in self._measured()}
        self._ended_seconds += sum(s for key, s in self._last_seen.items() if key not in seen)
        self._last_seen = seen
        return self._ended_seconds + sum(seen.values())

    def by_name(self) -> dict[str, float]:
        """Return CPU seconds by program name, for reading where the time goes."""
        totals: dict[str, float] = {}
        for process, seconds in self._measured():
            name = process.name()
            totals[name] = totals.get(name, 0.0) + seconds
        return totals

    def pids(self) -> list[int]:
        """Return the processes that are there now."""
        return [process.pid for process in self._alive()]

    def largest_resident_bytes(self, cmdline_part: str) -> int:
        """Return the resident size of the largest process whose command line holds the text."""
        sizes = [
            process.memory_info().rss
            for process in self._alive()
            if cmdline_part in " ".join(process.cmdline())
        ]
        return max(sizes, default=0)

    def _measured(self) -> list[tuple[psutil.Process, float]]:
        measured = []
        for process in self._alive():
            try:
                times = process.cpu_times()
                process.create_time()
            except psutil.NoSuchProcess:
                continue
            measured.append((process, times.user + times.system))
        return measured

    def _alive(self) -> list[psutil.Process]:
        found: dict[int, psutil.Process] = {}
        for pid in self._roots:
            try:
                root = psutil.Process(pid)
                found.update({p.pid: p for p in (root, *root.children(recursive=True))})
            except psutil.NoSuchProcess:
                continue
        return list(found.values())
