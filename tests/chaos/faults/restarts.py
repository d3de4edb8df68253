"""Parts that are stopped politely and start again: services one process after the other, servers whole."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chaos.faults.fault import AT_ONCE, SLOW_RECOVERY_SECONDS, Fault, Maker, SimpleFault
from chaos.faults.processes import Death
from igloo_local.parts.postgres_roles import SERVICES

if TYPE_CHECKING:
    from chaos.town import Town


def makers(town: Town) -> Iterator[Maker]:
    """Yield a maker for each kind of restart."""
    yield Maker("rolling-restart", lambda draw: _rolling_restart(town, draw.choice(sorted(SERVICES))))
    yield Maker("restart-postgres", lambda _: _restart(town, "restart-postgres", "postgres"))
    yield Maker("reload-gateway", lambda draw: _reload_gateway(town, draw))
    if town.stack.parts.rabbitmq is not None:
        yield Maker("restart-rabbitmq", lambda _: _restart(town, "restart-rabbitmq", "rabbitmq"))


def _rolling_restart(town: Town, service: str) -> Fault:
    def restart() -> str:
        town.stack.restart(service)
        return ""

    return SimpleFault(kind="rolling-restart", target=service, breaking=restart, hold_seconds=AT_ONCE)


def _restart(town: Town, kind: str, name: str) -> Fault:
    """Ask it to stop; what watches over it starts it again."""
    death = Death(town)
    return SimpleFault(
        kind=kind,
        target=name,
        breaking=lambda: death.of(name, town.stack.processes[name].command.stop_signal),
        over=death.is_over,
        hold_seconds=AT_ONCE,
        bound_seconds=SLOW_RECOVERY_SECONDS,
    )


def _reload_gateway(town: Town, draw: random.Random) -> Fault:
    times = draw.choice((1, 1, 3))

    def reload() -> str:
        for _ in range(times):
            town.stack.processes["gateway"].signal(signal.SIGHUP)
        return f"{times} times" if times > 1 else ""

    return SimpleFault(kind="reload-gateway", target="gateway", breaking=reload, hold_seconds=AT_ONCE)
