"""One of igloo's own services: web processes and worker processes, as in production."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from igloo_local.files import write_secret
from igloo_local.parts.part import Part
from igloo_local.processes import ChildProcess, Command
from igloo_local.source import python_path

READY_SECONDS = 60.0
# Given the name of a process and what it would be told, returns what it is told instead.
Adjust = Callable[[str, Mapping[str, str]], Mapping[str, str]]


def unchanged(_: str, environment: Mapping[str, str]) -> Mapping[str, str]:
    """Tell a process what it would be told anyway."""
    return environment


class Service(Part):
    """auth, social or media, with `replicas` web and as many worker processes.

    The first of each are called `social-web` and `social-worker`, the others `social-web-2` and so on; what
    stands in for web processes that are restarted is called `social-web-extra-1` and so on. The
    environment comes complete from the stack; `adjust` may change it for one process.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        logs: Path | None = None,
        replicas: int = 1,
        adjust: Adjust = unchanged,
    ) -> None:
        super().__init__(folder, logs=logs)
        self.name = self.title = name
        self.environment: dict[str, str] = {}
        self._roles = {
            role: [_numbered(role, number) for number in range(1, replicas + 1)] for role in _ROLES
        }
        self._adjust = adjust

    @property
    def url(self) -> str:
        """The first web process, which only the gateway and tools talk to."""
        return self.urls["web"]

    @property
    def urls(self) -> dict[str, str]:
        """Where each process is reached, by `web`, `worker`, `web-2` and so on; a worker for its probes."""
        names = [name for names in self._roles.values() for name in names]
        return {name: f"http://127.0.0.1:{self.ports.port(name)}" for name in names}

    @property
    def web_places(self) -> list[str]:
        """Host and port of each web process, as the gateway takes them."""
        return [f"127.0.0.1:{self.ports.port(name)}" for name in self._roles["web"]]

    def configure(self, environment: Mapping[str, str]) -> None:
        """Set what all processes are started with, and keep it for tools that act as the service."""
        self.environment = {
            **environment,
            "PYTHONPATH": python_path("libs/common", f"services/{self.name}", "infra/local"),
            "IGLOO_WEB_BIND": self.web_places[0],
            "IGLOO_WORKER_PORT": str(self.ports.port("worker")),
        }
        write_secret(self.folder / "environment.json", json.dumps(self.environment, indent=2))
        self.begin()
        for name in self._roles["web"]:
            self._add_web(name)
        for name in self._roles["worker"]:
            worker = {"IGLOO_WORKER_PORT": str(self.ports.port(name))}
            self._add(name, ["-m", f"igloo_{self.name}.worker"], worker)

    def start_web(self) -> None:
        """Start the web processes and wait until they can serve."""
        self._start_all("web")

    def start_worker(self) -> None:
        """Start the workers and wait until they work."""
        self._start_all("worker")

    def start(self) -> None:
        """Start all processes."""
        self.start_web()
        self.start_worker()

    def wait_ready(self, process: ChildProcess) -> None:
        """Wait until one of the processes says that it is ready.

        Raises:
            StackError: it ends, or is not ready within a minute.
        """
        url = f"http://{self.place_of(process)}/readyz"
        process.wait_ready(lambda: _answers(url), seconds=READY_SECONDS)

    def place_of(self, process: ChildProcess) -> str:
        """Return host and port of one of the processes."""
        port = self.ports.port(process.name.removeprefix(f"{self.name}-"))
        return f"127.0.0.1:{port}"

    def add_extra_web(self) -> ChildProcess:
        """Describe one web process more than there are."""
        number = len(self.extra_webs()) + 1
        return self._add_web(f"web-extra-{number}")

    def extra_webs(self) -> list[ChildProcess]:
        """Return the web processes beyond the replicas."""
        return [one for one in self.processes if one.name.startswith(f"{self.name}-web-extra-")]

    def of_role(self, role: str) -> Iterator[ChildProcess]:
        """Yield the `web` or `worker` processes."""
        names = {f"{self.name}-{name}" for name in self._roles[role]}
        return (process for process in self.processes if process.name in names)

    def _start_all(self, role: str) -> None:
        for process in self.of_role(role):
            process.start()
        for process in self.of_role(role):
            self.wait_ready(process)

    def _add_web(self, name: str) -> ChildProcess:
        folder = self.folder / name.replace("web", "metrics")
        folder.mkdir(exist_ok=True)
        bind = f"127.0.0.1:{self.ports.port(name)}"
        more = {"IGLOO_WEB_BIND": bind, "IGLOO_METRICS_FOLDER": str(folder)}
        return self._add(name, _web_arguments(self.name), more)

    def _add(self, name: str, arguments: Sequence[str], more: Mapping[str, str]) -> ChildProcess:
        whole_name = f"{self.name}-{name}"
        environment = self._adjust(whole_name, {**self.environment, **more, "PYTHONUNBUFFERED": "1"})
        command = Command(
            arguments=[sys.executable, *arguments],
            environment=environment,
            folder=self.folder,
            stop_seconds=10,
        )
        return self.add_process(whole_name, command)


_ROLES = ("web", "worker")


def _numbered(role: str, number: int) -> str:
    return role if number == 1 else f"{role}-{number}"


def _web_arguments(service: str) -> list[str]:
    return ["-m", "gunicorn", "--config", "python:igloo_common.gunicorn_config", f"igloo_{service}.wsgi:app"]


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=3).close()  # noqa: S310 - our own server
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return False
    except OSError:
        return False
    return True
