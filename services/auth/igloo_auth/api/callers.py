"""Who is at the other end of a request."""

from __future__ import annotations

from flask import request

from igloo_auth.policies.addresses import coarse_network


def caller_address() -> str | None:
    """Return the address that the request came from, as the gateway saw it.

    The gateway writes X-Forwarded-For anew, so that its last entry is the gateway's own observation and
    nothing that a client could have made up. Without a gateway it is the other end of the connection.
    """
    route = request.access_route
    return route[-1] if route else None


def caller_network() -> str | None:
    """Return the network that the request came from, as coarse as it is kept."""
    return coarse_network(caller_address())
