"""How many requests one worker of nginx may have at one web place at a time."""

from collections.abc import Mapping

THREADS_SETTINGS = ("IGLOO_WEB_WORKERS", "IGLOO_THREADS")


def worker_count(values: Mapping[str, str]) -> int:
    """Return how many workers nginx has."""
    return int(values.get("GATEWAY_WORKERS") or 1)


def connection_shares(values: Mapping[str, str]) -> dict[str, int]:
    """Return `max_conns` of each upstream's servers, as each worker of nginx counts for itself.

    Without `AUTH_MAX_CONNS` and the like, a place has as many requests as threads: more would only wait.
    """
    threads = int(values.get("IGLOO_WEB_WORKERS") or 2) * int(values.get("IGLOO_THREADS") or 4)
    at_once = {name: int(values.get(f"{name}_MAX_CONNS") or threads) for name in ("AUTH", "SOCIAL", "MEDIA")}
    workers = worker_count(values)
    return {name: -(-count // workers) for name, count in {**at_once, "DECISION": threads * 4}.items()}
