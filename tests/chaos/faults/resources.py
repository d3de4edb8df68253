"""Disks that are full, memory that is short, clocks that are wrong."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chaos.clocks import LOOK_SECONDS
from chaos.faults.fault import SLOW_RECOVERY_SECONDS, Fault, Maker, SimpleFault
from igloo_local.errors import StackError

if TYPE_CHECKING:
    from chaos.town import Town

_HOUR = 3600
_PATIENCE_SECONDS = 90.0
JUMPS_SECONDS = (_HOUR, -_HOUR, 48 * _HOUR, -48 * _HOUR)
# As the local stack configures its node, and as RabbitMQ does.
_USUAL_DISK_LIMIT, _USUAL_MEMORY = "50MB", "0.4"


def makers(town: Town) -> Iterator[Maker]:
    """Yield a maker for each resource that this machine lets us take away."""
    if "database-disk-full" not in town.impossible:
        yield Maker("database-disk-full", lambda _: _database_disk_full(town))
    if "broker-disk-full" not in town.impossible:
        yield Maker("broker-disk-full", lambda _: _broker_disk_full(town))
        yield Maker("broker-memory-short", lambda _: _broker_memory_short(town))
    if "clock-jump" not in town.impossible:
        yield Maker("clock-jump", lambda draw: _clock_jump(town, draw))


def _database_disk_full(town: Town) -> Fault:
    def fill() -> str:
        return f"{town.disk.fill() >> 20} MiB of ballast"

    def free() -> str:
        town.disk.free()
        return ""

    return SimpleFault(
        kind="database-disk-full",
        target="postgres",
        breaking=fill,
        mending=free,
        bound_seconds=SLOW_RECOVERY_SECONDS,
    )


def _broker_disk_full(town: Town) -> Fault:
    """Have the node believe that its disk is full: it then takes nothing from publishers."""
    return _told(
        town,
        "broker-disk-full",
        begin=("set_disk_free_limit", "100000GB"),
        end=("set_disk_free_limit", _USUAL_DISK_LIMIT),
    )


def _broker_memory_short(town: Town) -> Fault:
    return _told(
        town,
        "broker-memory-short",
        begin=("set_vm_memory_high_watermark", "0"),
        end=("set_vm_memory_high_watermark", _USUAL_MEMORY),
    )


def _told(town: Town, kind: str, *, begin: tuple[str, ...], end: tuple[str, ...]) -> Fault:
    return SimpleFault(
        kind=kind,
        target="rabbitmq",
        breaking=lambda: _insist(town, begin),
        mending=lambda: _insist(town, end),
        bound_seconds=SLOW_RECOVERY_SECONDS,
    )


def _insist(town: Town, words: tuple[str, ...]) -> str:
    """Tell the node until it has heard: after its name server's end it takes a while to be found again."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            town.rabbitmqctl(*words)
        except StackError:
            if time.monotonic() > deadline:
                raise
        else:
            return ""


def _clock_jump(town: Town, draw: random.Random) -> Fault:
    workers = [one for service in town.stack.parts.services.values() for one in service.of_role("worker")]
    name, offset = draw.choice([worker.name for worker in workers]), draw.choice(JUMPS_SECONDS)

    def jump() -> str:
        town.faketime(name, offset)
        return f"by {offset / _HOUR:+.0f} h"

    def back() -> str:
        town.faketime(name, 0)
        return ""

    # Less than a look's time would go unseen.
    hold = (2.0 * LOOK_SECONDS, 6.0 * LOOK_SECONDS)
    return SimpleFault(kind="clock-jump", target=name, breaking=jump, mending=back, hold_seconds=hold)
