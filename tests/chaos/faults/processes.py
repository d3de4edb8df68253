"""Processes that are killed, or stand still for a while."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import psutil
import requests

from chaos.faults.fault import AT_ONCE, RECOVERY_SECONDS, SLOW_RECOVERY_SECONDS, Fault, Maker, SimpleFault
from igloo_local.processes import ChildProcess

if TYPE_CHECKING:
    from chaos.town import Town

_LEADS = "igloo_relay_leads 1"


def makers(town: Town) -> Iterator[Maker]:
    """Yield a maker for each kind of process that may die."""
    yield _killing(town, "kill-web", lambda: _of_role(town, "web"))
    yield _killing(town, "kill-worker", lambda: _of_role(town, "worker"))
    yield _killing(town, "kill-gateway", lambda: ["gateway"])
    yield _killing(town, "kill-s3", lambda: ["s3"])
    yield _killing(town, "kill-facebook", lambda: ["facebook"])
    yield _killing(town, "kill-postgres", lambda: ["postgres"], bound_seconds=SLOW_RECOVERY_SECONDS)
    if town.stack.parts.rabbitmq is not None:
        yield _killing(town, "kill-rabbitmq", lambda: ["rabbitmq", "rabbitmq-epmd"])
    yield Maker(
        "kill-web-child", lambda draw: _kill_child(town, draw, "kill-web-child", _of_role(town, "web"))
    )
    yield Maker("kill-gateway-child", lambda draw: _kill_child(town, draw, "kill-gateway-child", ["gateway"]))
    yield Maker("kill-relay", lambda draw: _kill_relay(town, draw))
    yield Maker("kill-postgres-backend", lambda draw: _kill_backend(town, draw))
    yield _pausing(town, "pause-s3", lambda: ["s3"])
    yield _pausing(town, "pause-worker", lambda: _of_role(town, "worker"))
    yield _pausing(town, "pause-web", lambda: _of_role(town, "web"))


class Death:
    """The end of one process, which is over once it has been started again.

    It takes a moment until the end of a process is seen, and nginx's workers serve on without their master.
    """

    def __init__(self, town: Town) -> None:
        self._town = town
        self._name = ""
        self._starts = 0

    def of(self, name: str, number: signal.Signals) -> str:
        """Send a process the signal that ends it."""
        process = self._town.stack.processes[name]
        self._name, self._starts = name, process.starts
        process.signal(number)
        return ""

    def is_over(self) -> bool:
        """Tell whether the process has been started again."""
        return not self._name or self._town.stack.processes[self._name].starts > self._starts


def family_of(process: ChildProcess) -> list[psutil.Process]:
    """Return a process and all that it has started."""
    if process.pid is None:
        return []
    try:
        head = psutil.Process(process.pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def send(to: Sequence[psutil.Process], number: signal.Signals) -> str:
    """Send a signal to each; says how many had ended before."""
    missed = 0
    for process in to:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            missed += 1
    return f"{missed} had ended before" if missed else ""


def _of_role(town: Town, role: str) -> list[str]:
    return [
        process.name for service in town.stack.parts.services.values() for process in service.of_role(role)
    ]


def _killing(
    town: Town, kind: str, names: Callable[[], Sequence[str]], *, bound_seconds: float = RECOVERY_SECONDS
) -> Maker:
    def make(draw: random.Random) -> Fault:
        name = draw.choice(names())
        return _kill(town, kind, name, bound_seconds=bound_seconds)

    return Maker(kind, make)


def _kill(town: Town, kind: str, name: str, *, bound_seconds: float = RECOVERY_SECONDS) -> SimpleFault:
    death = Death(town)
    return SimpleFault(
        kind=kind,
        target=name,
        breaking=lambda: death.of(name, signal.SIGKILL),
        over=death.is_over,
        hold_seconds=AT_ONCE,
        bound_seconds=bound_seconds,
    )


def _kill_child(town: Town, draw: random.Random, kind: str, names: Sequence[str]) -> Fault:
    name = draw.choice(names)
    which = draw.random()

    def kill() -> str:
        children = family_of(town.stack.processes[name])[1:]
        if not children:
            return "it had no child"
        return send([children[int(which * len(children))]], signal.SIGKILL)

    return SimpleFault(kind=kind, target=name, breaking=kill, hold_seconds=AT_ONCE)


def _kill_relay(town: Town, draw: random.Random) -> Fault:
    service = draw.choice(sorted(town.stack.parts.services))
    workers = [process.name for process in town.stack.parts.services[service].of_role("worker")]
    death = Death(town)

    def kill() -> str:
        leading = [name for name in workers if _leads(town, service, name)]
        name = leading[0] if leading else workers[0]
        death.of(name, signal.SIGKILL)
        return name if leading else f"{name}, as none said that it leads"

    return SimpleFault(
        kind="kill-relay",
        target=f"{service}-relay",
        breaking=kill,
        over=death.is_over,
        hold_seconds=AT_ONCE,
    )


def _leads(town: Town, service: str, process: str) -> bool:
    url = town.stack.parts.services[service].urls[process.removeprefix(f"{service}-")]
    try:
        return _LEADS in requests.get(f"{url}/metrics", timeout=5).text
    except requests.RequestException:
        return False


def _kill_backend(town: Town, draw: random.Random) -> Fault:
    which = draw.random()

    def kill() -> str:
        """Kill one session's process: PostgreSQL then ends all others too, and recovers."""
        with town.superuser() as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND usename LIKE 'igloo_%' ORDER BY pid"
            ).fetchall()
        if not rows:
            return "nobody was connected"
        return send([psutil.Process(rows[int(which * len(rows))][0])], signal.SIGKILL)

    return SimpleFault(
        kind="kill-postgres-backend",
        target="postgres",
        breaking=kill,
        hold_seconds=AT_ONCE,
        bound_seconds=SLOW_RECOVERY_SECONDS,
    )


def _pausing(town: Town, kind: str, names: Callable[[], Sequence[str]]) -> Maker:
    def make(draw: random.Random) -> Fault:
        name = draw.choice(names())
        stopped: list[psutil.Process] = []

        def pause() -> str:
            stopped[:] = family_of(town.stack.processes[name])
            return send(stopped, signal.SIGSTOP)

        return SimpleFault(
            kind=kind, target=name, breaking=pause, mending=lambda: send(stopped, signal.SIGCONT)
        )

    return Maker(kind, make)
