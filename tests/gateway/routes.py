"""The gateway's list of routes, read from routes.conf."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.nginx_process import GATEWAY

_STANZA = re.compile(r"^location (?P<kind>[=~]) +(?P<pattern>\S+) +\{ proxy_pass http://(?P<service>\w+);")


@dataclass(frozen=True, kw_only=True)
class Route:
    """One line of routes.conf."""

    exact: bool
    pattern: str
    service: str

    @property
    def example_path(self) -> str:
        """A path that this route answers."""
        return self.pattern.strip("^$").replace("[^/]+", "0190a6c4-0000-7000-8000-000000000001")

    def answers(self, path: str) -> bool:
        """Tell whether nginx would match this path, taken alone."""
        return path == self.pattern if self.exact else re.search(self.pattern, path) is not None


def read_routes() -> list[Route]:
    """Read every route; a line that is no route and no comment is an error.

    Raises:
        ValueError: a line of routes.conf cannot be read.
    """
    lines = (GATEWAY / "routes.conf").read_text().splitlines()
    return [_read(line) for line in lines if line.strip() and not line.startswith("#")]


def _read(line: str) -> Route:
    match = _STANZA.match(line)
    if match is None:
        raise ValueError(f"not a route: {line}")
    return Route(exact=match["kind"] == "=", pattern=match["pattern"], service=match["service"])
