"""One fault run: people work while the nemesis strikes, then the stack heals and every promise is checked."""

import threading
import time
from collections import Counter
from dataclasses import asdict
from typing import Any

import psycopg
import requests

from chaos.checker import violations
from chaos.clients import Client, Person
from chaos.ledger import Ledger
from chaos.nemesis import Fault, Nemesis
from igloo_local.phone import Phone, facebook_token, wait_until
from igloo_local.stack import Stack

DRAIN_SECONDS = 120.0
_UNFINISHED = {
    "unpublished events": "SELECT count(*) FROM {schema}.outbox WHERE published_at IS NULL",
    "unapplied events": "SELECT count(*) FROM {schema}.inbox WHERE status = 'pending'",
    "dead events": "SELECT count(*) FROM {schema}.inbox WHERE status = 'dead'",
}


def run(stack: Stack, *, seed: int, faults: int, clients: int) -> dict[str, Any]:
    """Work and break, heal, check; return the report."""
    ledger, stop = Ledger(), threading.Event()
    people = [make_person(stack, ledger, number) for number in range(clients)]
    working = [Client(one, ledger, seed=seed * 1000 + n, stop=stop) for n, one in enumerate(people)]
    nemesis = Nemesis(
        processes=lambda: dict(stack.addresses.pids),
        stop_signals={name: process.command.stop_signal for name, process in stack.processes.items()},
        healthy=lambda: _healthy(stack),
        seed=seed,
    )
    started = time.monotonic()
    for client in working:
        client.start()
    nemesis.strike(faults, stop=stop)
    stop.set()
    for client in working:
        client.join()
    left = _drain(stack)
    broken = [f"{client.name} ended with {client.failure!r}" for client in working if client.failure]
    broken += [
        f"{fault.target} did not heal" for fault in nemesis.faults if fault.recovered_after_seconds is None
    ]
    broken += [f"{count} {what} are left" for what, count in left.items() if count]
    for person in people:
        person.phone.refresh()
    broken += violations(people, ledger)
    return _report(seed, time.monotonic() - started, ledger, nemesis.faults, broken)


def make_person(stack: Stack, ledger: Ledger, number: int) -> Person:
    addresses = stack.addresses
    token = facebook_token(addresses.facebook, addresses.facebook_app_id, f"Seal {number}")
    phone = Phone(gateway=addresses.gateway)
    phone.sign_in(token)
    phone.call("GET", "/v1/users/me")
    return Person(phone=phone, ledger=ledger.add_person(str(phone.user_id)), facebook_access_token=token)


def _healthy(stack: Stack) -> bool:
    """Every web process and worker says that it is ready, and the gateway answers."""
    probes = [f"{url}/readyz" for service in stack.addresses.services.values() for url in service.values()]
    try:
        return all(requests.get(url, timeout=2).ok for url in (f"{stack.addresses.gateway}/healthz", *probes))
    except requests.RequestException:
        return False


def _drain(stack: Stack) -> dict[str, int]:
    """Wait until no event is on its way any more; return what is left after the bound."""

    def left() -> dict[str, int]:
        counts: Counter[str] = Counter()
        try:
            with psycopg.connect(
                stack.addresses.databases["superuser"].replace("+psycopg", "")
            ) as connection:
                for schema in ("auth", "social", "media"):
                    for what, statement in _UNFINISHED.items():
                        row = connection.execute(statement.format(schema=schema)).fetchone()
                        counts[what] += row[0] if row else 0
        except psycopg.OperationalError:
            counts["databases that do not answer"] += 1
        return dict(counts)

    try:
        return wait_until(
            left, lambda counts: not any(counts.values()), what="drained", timeout_seconds=DRAIN_SECONDS
        )
    except TimeoutError:
        return left()


def _report(
    seed: int, seconds: float, ledger: Ledger, faults: list[Fault], broken: list[str]
) -> dict[str, Any]:
    recovered = sorted(f.recovered_after_seconds for f in faults if f.recovered_after_seconds is not None)
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "operations": ledger.outcomes(),
        "faults": [asdict(fault) for fault in faults],
        "recovery_seconds": {"p50": recovered[len(recovered) // 2], "max": recovered[-1]}
        if recovered
        else {},
        "violations": broken,
    }
