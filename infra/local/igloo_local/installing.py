"""System packages that have no wheel, installed with apt when we are root."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from igloo_local.settings import inherited_environment

INSTALL_SECONDS = 300
_POLICY = Path("/usr/sbin/policy-rc.d")
_REFUSE_STARTS = "#!/bin/sh\n# Written by igloo while it installs a package; removed right after.\nexit 101\n"


def may_install() -> bool:
    """Tell whether packages can be installed without asking anybody."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_rabbitmq() -> str:
    """Install RabbitMQ; return why it failed, or nothing."""
    return _without_starting("rabbitmq-server")


def install_chromium() -> str:
    """Install a browser for the browser tests; return why it failed, or nothing."""
    return _without_starting("chromium")


def _without_starting(package: str) -> str:
    """Install a package while Debian's policy hook keeps its service from being started.

    A broker started by the package would be a system-wide one that nobody asked for. An existing hook is left
    alone: whoever wrote it has decided that question.
    """
    ours = not _POLICY.exists()
    if ours:
        _POLICY.write_text(_REFUSE_STARTS)
        _POLICY.chmod(0o755)
    try:
        return _apt(package)
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)


def _apt(package: str) -> str:
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package]
    failure = _run(install)
    if not failure:
        return ""
    # The lists of a fresh machine or image are usually missing or old.
    return _run(["apt-get", "update", "--quiet"]) or _run(install)


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
