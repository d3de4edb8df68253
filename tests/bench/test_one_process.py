"""What a process is said to have used."""

import os
import subprocess
import sys
import time

from bench.one_process import cpu_seconds, forget_peak, peak_bytes, resident_bytes


def test_the_clock_of_a_process_is_its_cpu_time() -> None:
    before = cpu_seconds(os.getpid())
    mine = time.process_time()

    assert 0 <= mine - before < 0.1


HOLDS_AND_LETS_GO = """
print(flush=True)
input()
held = b"x" * 50_000_000
del held
print(flush=True)
input()
"""


def test_the_peak_of_a_child_is_what_it_held_at_once() -> None:
    with subprocess.Popen(  # noqa: S603 - a fixed program
        [sys.executable, "-c", HOLDS_AND_LETS_GO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        forget_peak(child.pid)
        idle = resident_bytes(child.pid)
        child.stdin.write("\n")
        child.stdin.flush()
        child.stdout.readline()

        assert 49_000_000 < peak_bytes(child.pid) - idle < 60_000_000
        assert resident_bytes(child.pid) - idle < 10_000_000
        child.stdin.write("\n")
