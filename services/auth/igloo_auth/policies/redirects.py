"""Where a browser may be sent back to: to an address that its client has registered, and to no other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

# RFC 8252 section 7.3: an app listens on whatever port is free. Only literal addresses, as `localhost` is a
# name that may be resolved to somewhere else, and only where the entry leaves the port open.
_ANY_PORT = re.compile(r"(?P<host>http://(?:127\.0\.0\.1|\[::1\]))(?P<rest>(?:[/?].*)?)")
_PORT = re.compile(r":([1-9][0-9]{0,4})")
_HIGHEST_PORT = 65535


def chosen_redirect(asked: str | None, *, registered: Sequence[str]) -> str | None:
    """Return the address to send a browser back to; None when none of the registered ones is meant.

    A client with one address need not name it (RFC 6749 section 3.1.2.3).
    """
    if asked is None:
        return registered[0] if len(registered) == 1 else None
    return asked if any(is_registered(asked, entry) for entry in registered) else None


def is_registered(asked: str, entry: str) -> bool:
    """Compare an address with an entry of the allow-list, character by character (RFC 9700 section 2.1).

    Neither is parsed or normalised: whatever a parser makes of user info, dots, escapes or capitals in an
    address, a browser may see something else in it.
    """
    return asked == entry or _is_entry_with_port(asked, entry)


def with_query(address: str, parameters: Mapping[str, str | None]) -> str:
    """Add parameters to an address that may have a query already; what is None is left out."""
    added = urlencode({name: value for name, value in parameters.items() if value is not None})
    if "?" not in address:
        return f"{address}?{added}"
    return address + added if address.endswith(("?", "&")) else f"{address}&{added}"


def _is_entry_with_port(asked: str, entry: str) -> bool:
    loopback = _ANY_PORT.fullmatch(entry)
    if loopback is None or not asked.startswith(loopback["host"]) or not asked.endswith(loopback["rest"]):
        return False
    port = _PORT.fullmatch(asked[len(loopback["host"]) : len(asked) - len(loopback["rest"])])
    return port is not None and int(port[1]) <= _HIGHEST_PORT
