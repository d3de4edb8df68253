"""What a single process has used: CPU to the nanosecond, and the most memory that it held."""

import re
import time
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Return user + system seconds of a living process, its ended threads included.

    /proc counts in hundredths of a second; the process's own clock does not (clock_getcpuclockid(3): the
    complement of the id, then the kind of clock in three bits).
    """
    return time.clock_gettime((~pid << 3) | 2)


def forget_peak(pid: int) -> None:
    """Start the measurement of the peak anew (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_bytes(pid: int) -> int:
    """Return the most memory held since then.

    ru_maxrss says the same of a process that nobody forked: of a forked one it remembers the parent's.
    """
    return _status(pid, "VmHWM")


def resident_bytes(pid: int) -> int:
    """Return the memory held now."""
    return _status(pid, "VmRSS")


def _status(pid: int, field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    if found is None:
        message = f"{field} of {pid} is not told"
        raise LookupError(message)
    return int(found[1]) * 1024
