"""Parts that were given by an address instead of being started here: is anybody there?"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from igloo_local.errors import StackError
from igloo_local.waiting import accepts_connections

_ADDRESS = re.compile(r"IGLOO_(\w+_DATABASE_URL|BROKER_URL|S3_ENDPOINT|FACEBOOK_GRAPH_URL)")
_USUAL_PORTS = {"amqp": 5672, "amqps": 5671, "http": 80, "https": 443}
_POSTGRES_PORT = 5432


def host_and_port(url: str) -> tuple[str, int]:
    """Return where a URL leads, with the usual port of its scheme when it names none."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _USUAL_PORTS.get(parts.scheme, _POSTGRES_PORT)


def check_given_places(given: Mapping[str, str]) -> None:
    """Knock at every given address, before anything is started.

    Raises:
        StackError: naming the setting at whose address nobody listens.
    """
    for name, url in given.items():
        if not _ADDRESS.fullmatch(name) or url.startswith("filesystem:"):
            continue
        host, port = host_and_port(url)
        if not accepts_connections(port, host=host, patience_seconds=3):
            raise StackError(f"{name}: nobody listens at {host}:{port}")
