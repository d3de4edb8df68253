"""Who is at the other end of a request."""

from __future__ import annotations

from flask import request

from igloo_auth.policies.addresses import coarse_network


def caller_network() -> str | None:
    """Return the network that the request came from, as coarse as it is kept.

    The gateway writes X-Forwarded-For anew, so that its last entry is the gateway's own observation and
    nothing that a client could have made up.
    """
    route = request.access_route
    return coarse_network(route[-1] if route else None)
