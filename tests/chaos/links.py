"""Every link between two parts of the stack, led through a proxy of our own that can cut or slow it."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from chaos.link_modes import PASS, Mode
from igloo_local.ports import free_port
from igloo_local.settings import inherited_environment

_ANSWER_SECONDS = 10.0
PHONES_TO_S3 = "phones>s3"
# A web process of media signs the addresses with which the gateway reads objects, and the host is a part of
# what it signs: both reach S3 at one address.
GATEWAY_TO_S3 = "gateway+media-web>s3"


class Link:
    """One link by its name, `social-worker>postgres`; what it does is `mode`."""

    def __init__(self, name: str, port: int, links: "Links") -> None:
        self.name = name
        self.port = port
        self.mode = PASS
        self._links = links

    def become(self, mode: Mode) -> None:
        """Behave differently from now on."""
        self._links.become([self.name], mode)

    def heal(self) -> None:
        """Let everything pass again."""
        self.become(PASS)


class Links(Mapping[str, Link]):
    """All links by name; give `adjust` to the stack, whose processes then meet only the proxy."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}
        self._lock = threading.Lock()
        self._control, self._proxy_end = socket.socketpair()
        self._process: subprocess.Popen[bytes] | None = None

    def __getitem__(self, name: str) -> Link:
        return self._links[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._links))

    def __len__(self) -> int:
        return len(self._links)

    @property
    def pid(self) -> int:
        """The proxy's process."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        with self._proxy_end as end:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "chaos.link_proxy", str(end.fileno())],
                env={**inherited_environment(), "PYTHONPATH": str(Path(__file__).parents[1])},
                pass_fds=[end.fileno()],
            )
        self._control.settimeout(_ANSWER_SECONDS)
        self._answers = self._control.makefile("rb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._answers.close()
        self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def adjust(self, process: str, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Return what the process is told instead, so that whatever it reaches it reaches over a link."""
        if process == "gateway":
            return self._adjust_gateway(environment)
        led = dict(environment)
        for setting, name in _links_of(process, environment).items():
            led[setting] = self._led(name, environment[setting])
        return led

    def open(self, name: str, host: str, port: int) -> Link:
        """Open a link to a server, or return the one that has the name."""
        if name not in self._links:
            link = Link(name, free_port(), self)
            self._order({"do": "open", "name": name, "port": link.port, "target": [host, port]})
            self._links[name] = link
        return self._links[name]

    def become(self, names: list[str], mode: Mode) -> None:
        """Have several links behave alike, at once."""
        self._order({"do": "become", "names": names, "mode": asdict(mode)})
        for name in names:
            self._links[name].mode = mode

    def heal_all(self) -> None:
        """Let everything pass again, everywhere."""
        self.become([*self._links], PASS)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many connections and bytes each link has carried."""
        return self._order({"do": "count"})

    def _adjust_gateway(self, values: Mapping[str, str]) -> dict[str, str]:
        led = dict(values)
        for service in ("auth", "social", "media"):
            setting = f"{service.upper()}_UPSTREAM"
            names = (f"gateway>{service}-web{_number(n)}" for n in range(len(values[setting].split())))
            led[setting] = " ".join(
                self._place(name, place) for name, place in zip(names, values[setting].split(), strict=True)
            )
        led["S3_UPSTREAM"] = self._place(GATEWAY_TO_S3, values["S3_UPSTREAM"])
        led["S3_PUBLIC_ORIGIN"] = self._led(PHONES_TO_S3, values["S3_PUBLIC_ORIGIN"])
        return led

    def _place(self, name: str, place: str) -> str:
        host, port = place.rsplit(":", 1)
        return f"{host}:{self.open(name, host, int(port)).port}"

    def _led(self, name: str, url: str) -> str:
        """Return the address with the link's port in the place of the server's."""
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        link = self.open(name, parts.hostname, parts.port)
        login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        led = parts._replace(netloc=f"{login}{parts.hostname}:{link.port}")
        # urlunsplit makes one slash of the two that name RabbitMQ's virtual host "/".
        return urlunsplit(led) if parts.scheme != "amqp" else f"amqp://{led.netloc}{parts.path}"

    def _order(self, order: Mapping[str, object]) -> dict[str, Any]:
        with self._lock:
            self._control.sendall(json.dumps(order).encode() + b"\n")
            line = self._answers.readline()
        if not line:
            raise RuntimeError("the proxy of the links is gone")
        answer: dict[str, dict[str, Any]] = json.loads(line)
        if "failed" in answer:
            raise RuntimeError(f"the proxy of the links: {answer['failed']['reason']}")
        return answer["done"]


def _links_of(process: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return which settings of a process lead to another part, each with the name of the link to it."""
    service, role = process.split("-")[:2]
    links = {
        f"IGLOO_{service.upper()}_DATABASE_URL": f"{process}>postgres",
        "IGLOO_S3_PUBLIC_ENDPOINT": PHONES_TO_S3,
    }
    if role == "worker":
        links["IGLOO_BROKER_URL"] = f"{process}>rabbitmq"
    if service == "auth":
        links["IGLOO_FACEBOOK_GRAPH_URL"] = f"{process}>facebook"
    elif role == "web":
        links["IGLOO_JWKS_URL"] = f"{process}>auth-keys"
    if service == "media" and role == "web":
        links["IGLOO_S3_ENDPOINT"] = GATEWAY_TO_S3
    elif role == "worker" and service != "social":
        links["IGLOO_S3_ENDPOINT"] = f"{process}>s3"
    if service == "media" and role == "worker":
        links["IGLOO_GATEWAY_PURGE_URLS"] = f"{process}>gateway-purge"
    told = (setting for setting in links if environment.get(setting, "").split(":")[0] != "filesystem")
    return {setting: links[setting] for setting in told if environment.get(setting)}


def _number(index: int) -> str:
    return "" if index == 0 else f"-{index + 1}"
