"""What the child process gives up before it sees a photo: a decoder that is taken over finds nothing to use.

No root is needed for any of it. What a kernel or a container does not offer is left out: the limits on
memory, time and files hold everywhere.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys

MAX_OPEN_FILES = 64
# prctl(2).
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 1, 22, 38, 2
# capset(2): the version of its structure, and this process.
CAPABILITY_HEADER = struct.pack("=Ii", 0x20080522, 0)
# landlock(7); the numbers of these calls are the same on every architecture.
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446
# Running a program; removing a folder; making a device, a folder, a socket, a pipe, another device, a link.
LANDLOCK_REFUSED = 1 << 0 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12
# seccomp(2) and the classic packet filter that it runs: load a word, jump if equal, jump if any bit, return.
BPF_LOAD, BPF_EQUAL, BPF_AT_LEAST, BPF_ANY_BIT, BPF_RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
KILL, ALLOW, REFUSE = 0x80000000, 0x7FFF0000, 0x00050001  # the last answers EPERM
NO_SUCH_CALL = 0x00050026  # ENOSYS: the C library then makes its threads by clone
CALL_NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
CLONE_THREAD = 0x00010000
OTHER_ABI = 0x40000000  # the x32 calls of x86-64
CLONE3 = 435
# The architecture to seccomp; the number of clone; what a process may do with itself alone: signal a thread,
# by which it aborts, and limit itself. Then what is refused: network; programs and processes; other
# processes; mounts and namespaces; features of the kernel with a record of holes.
CALLS = {
    "x86_64": (
        0xC000003E,
        56,
        (234, 302),
        (41, 42, 43, 44, 46, 49, 50, 53, 288),
        (57, 58, 59, 322),
        (62, 101, 129, 200, 297, 310, 311, 424, 434, 438),
        (155, 161, 165, 166, 272, 308),
        (175, 248, 249, 250, 298, 304, 313, 321, 323, 425, 426, 427),
    ),
    "aarch64": (
        0xC00000B7,
        220,
        (131, 261),
        (198, 199, 200, 201, 202, 203, 206, 211, 242),
        (221, 281),
        (117, 129, 130, 138, 240, 270, 271, 424, 434, 438),
        (39, 40, 41, 51, 97, 268),
        (105, 217, 218, 219, 241, 265, 273, 280, 282, 425, 426, 427),
    ),
}


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def confine(*, memory_bytes: int, written_bytes: int) -> None:
    """Give up for good what rendering photos does not need; starting threads and opening files go on."""
    _cap(resource.RLIMIT_CORE, 0)
    _cap(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    _cap(resource.RLIMIT_FSIZE, written_bytes)
    _cap(resource.RLIMIT_AS, memory_bytes)
    if sys.platform == "linux":
        system = ctypes.CDLL(None, use_errno=True)
        # With the worker's thread, in the middle of a photo as well; elsewhere once stdin has ended.
        system.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # A worker that runs as root, as on a developer's machine, leaves the child nothing of it.
        system.capset(CAPABILITY_HEADER, bytes(24))
        if system.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
            _close_the_file_system(system)
            _close_the_system(system)


def _cap(kind: int, value: int) -> None:
    """Lower a limit, and the limit on raising it again."""
    _, hard = resource.getrlimit(kind)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (allowed, allowed))


def _close_the_file_system(system: ctypes.CDLL) -> None:
    """Run nothing and make nothing but files; to Landlock, all processes outside are closed books as well.

    So what the worker has in its environment cannot be read from /proc.
    """
    rules = struct.pack("=Q", LANDLOCK_REFUSED)
    descriptor = system.syscall(LANDLOCK_CREATE_RULESET, rules, len(rules), 0)
    if descriptor >= 0:
        system.syscall(LANDLOCK_RESTRICT_SELF, descriptor, 0)
        os.close(descriptor)


def _close_the_system(system: ctypes.CDLL) -> None:
    """Refuse system calls: no network, no programs, no processes but threads, no other process."""
    if platform.machine() in CALLS:
        code = _program(*CALLS[platform.machine()])
        system.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(_Filter(len(code) // 8, code)))


def _program(
    architecture: int, clone: int, about_itself: tuple[int, ...], *refused: tuple[int, ...]
) -> bytes:
    steps = [
        (BPF_LOAD, 0, 0, ARCHITECTURE),
        (BPF_EQUAL, 1, 0, architecture),
        (BPF_RETURN, 0, 0, KILL),
        (BPF_LOAD, 0, 0, CALL_NUMBER),
        (BPF_AT_LEAST, 0, 1, OTHER_ABI),
        (BPF_RETURN, 0, 0, KILL),
    ]
    for number in (number for group in refused for number in group):
        steps += [(BPF_EQUAL, 0, 1, number), (BPF_RETURN, 0, 0, REFUSE)]
    for number in about_itself:
        steps += [
            (BPF_EQUAL, 0, 5, number),
            (BPF_LOAD, 0, 0, FIRST_ARGUMENT),
            (BPF_EQUAL, 2, 0, 0),  # to prlimit(2) this is whoever calls it
            (BPF_EQUAL, 1, 0, os.getpid()),
            (BPF_RETURN, 0, 0, REFUSE),
            (BPF_RETURN, 0, 0, ALLOW),
        ]
    steps += [
        (BPF_EQUAL, 0, 1, CLONE3),
        (BPF_RETURN, 0, 0, NO_SUCH_CALL),
        (BPF_EQUAL, 0, 3, clone),
        (BPF_LOAD, 0, 0, FIRST_ARGUMENT),
        (BPF_ANY_BIT, 1, 0, CLONE_THREAD),
        (BPF_RETURN, 0, 0, REFUSE),
        (BPF_RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
