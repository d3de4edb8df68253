"""Who is at the other end of a request."""

from flask import request

from igloo_auth.policies.addresses import coarse_network


def caller_network() -> str | None:
    """Return the network that the request came from, as coarse as it is kept."""
    return coarse_network(request.remote_addr)
