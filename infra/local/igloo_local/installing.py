"""System packages that have no wheel, installed with apt when we are root."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from igloo_local.parts.rabbitmq import find_server
from igloo_local.settings import inherited_environment

INSTALL_SECONDS = 300
_POLICY = Path("/usr/sbin/policy-rc.d")


def find_faketime() -> str | None:
    """Return the library that gives one process a clock of its own, if the machine has it."""
    # The one for programs with threads. Debian keeps it below the folder of the machine's architecture.
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return str(found[0]) if found else None


# What the tests use and no wheel brings: name → how it is found, and Debian's package.
PROGRAMS: Mapping[str, tuple[Callable[[], str | None], str]] = {
    "rabbitmq": (find_server, "rabbitmq-server"),
    "faketime": (find_faketime, "libfaketime"),
    "chromium": (lambda: shutil.which("chromium") or shutil.which("google-chrome"), "chromium"),
}
# Another package manager may be at work, as it often is on a machine that has just booted.
_PATIENCE = ("-o", "DPkg::Lock::Timeout=60")
_REFUSE_STARTS = "#!/bin/sh\n# Written by igloo while it installs a package; removed right after.\nexit 101\n"


def may_install() -> bool:
    """Tell whether packages can be installed without asking anybody."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(package: str) -> str:
    """Install a Debian package without having its service started; return why it failed, or nothing.

    A broker that the package starts would be a system-wide one that nobody asked for. An existing hook is
    left alone: whoever wrote it has decided that question.
    """
    # Ours may be there still from an installation that was killed.
    ours = not _POLICY.exists() or _POLICY.read_text() == _REFUSE_STARTS
    if ours:
        _POLICY.write_text(_REFUSE_STARTS)
        _POLICY.chmod(0o755)
    try:
        return _apt(package)
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)


def install_missing(names: Sequence[str]) -> int:
    """Install those of the named programs that are missing; say which cannot be had, and go on without."""
    for name in names:
        find, package = PROGRAMS[name]
        if find() is not None:
            continue
        if may_install():
            print(f"installing {package} with apt", file=sys.stderr)
            failure = install(package)
        else:
            failure = "only root may, and apt is needed"
        if find() is None:
            print(f"igloo: {name} cannot be installed ({failure})", file=sys.stderr)
    return 0


def _apt(package: str) -> str:
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *_PATIENCE, package]
    failure = _run(command)
    if not failure:
        return ""
    # The lists of a fresh machine or image are usually missing or old.
    return _run(["apt-get", "update", "--quiet"]) or _run(command)


def _run(command: list[str]) -> str:
    environment = {**inherited_environment(), "DEBIAN_FRONTEND": "noninteractive"}
    with tempfile.TemporaryFile("w+") as output:
        try:
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                timeout=INSTALL_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"{' '.join(command[:2])} took longer than {INSTALL_SECONDS} s"
        output.seek(0)
        last = (output.read().strip().splitlines() or ["it said nothing"])[-1]
        return f"{' '.join(command[:2])}: {last}" if done.returncode else ""
