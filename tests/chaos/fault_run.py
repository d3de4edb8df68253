"""One fault run: people work while the nemesis strikes, then the stack heals and every promise is checked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from chaos.faults import faults_of
from chaos.model.checker import violations
from chaos.model.draining import drain
from chaos.model.facts import Violation
from chaos.model.ledger import Ledger
from chaos.model.places import Places
from chaos.model.population import Population
from chaos.nemesis import Injected, Nemesis
from chaos.report import FaultRow, Report
from chaos.sampling import Sampler
from chaos.town import Town

DRAIN_SECONDS = 180.0
_NO_END = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Run:
    """How much is broken: so many `faults`, or as many as `minutes` hold, of kinds that begin with `only`."""

    seed: int
    clients: int = 16
    faults: int = _NO_END
    minutes: float | None = None
    short_holds: bool = False
    think_seconds: float = 0.3
    only: tuple[str, ...] = ()


def run(town: Town, plan: Run) -> Report:
    """Work and break, heal, check; the town is up and stays up."""
    addresses = town.stack.addresses
    population = Population(
        addresses.gateway,
        addresses.facebook,
        addresses.facebook_app_id,
        clients=plan.clients,
        seed=plan.seed,
        think_seconds=plan.think_seconds,
    )
    population.enter()
    started = time.monotonic()
    sampler = Sampler(outcomes=population.outcomes, connect=town.superuser, started=started)
    sampler.start()
    population.start()
    nemesis = _strike(town, plan)
    population.stop()
    places = Places.of(town.stack, dead_letters=lambda: dead_letters(town))
    left, drained_after = drain(places, bound_seconds=DRAIN_SECONDS)
    sampler.stop()
    seconds = time.monotonic() - started
    found = [*_unhealed(nemesis.injected), *_left(left), *violations(population, places)]
    injected = [one for one in nemesis.injected if not one.detail.startswith("not injected")]
    return Report(
        seed=plan.seed,
        broker=town.stack.addresses.broker.partition(":")[0],
        clients=plan.clients,
        replicas=town.replicas,
        seconds=round(seconds, 1),
        drained_after_seconds=None if left else round(drained_after, 1),
        operations=population.outcomes(),
        troubles=population.troubles(),
        faults=[FaultRow(**asdict(one)) for one in injected],
        violations=[asdict(violation) for violation in found],
        checked=facts_of(population.ledger),
        impossible=[*_impossible(town, nemesis.injected)],
        samples=sampler.samples,
    )


def dead_letters(town: Town) -> int:
    """Count what lies in RabbitMQ's queue of dead letters."""
    if town.stack.parts.rabbitmq is None:
        return 0
    rows = town.rabbitmqctl("--quiet", "list_queues", "--no-table-headers", "name", "messages").splitlines()
    return sum(int(row.split()[1]) for row in rows if row.split()[:1] == ["igloo.dead"])


def facts_of(ledger: Ledger) -> dict[str, int]:
    """Count the facts that the checker holds the stack against."""
    return {
        "posts": len(ledger.posts),
        "comments": len(ledger.comments),
        "follows": len(ledger.follows),
        "blocks": len(ledger.blocks),
        "likes": len(ledger.likes),
        "sessions": len(ledger.sessions),
        "photos": len(ledger.uploads),
        "read markers": len(ledger.markers),
        "refusals explained": len(ledger.refusals),
    }


def _strike(town: Town, plan: Run) -> Nemesis:
    makers = [maker for maker in faults_of(town) if not plan.only or maker.kind.startswith(plan.only)]
    if not makers:
        raise SystemExit(f"no kind of fault begins with any of {', '.join(plan.only)}")
    canary = town.canary()
    canary.sign_in()
    stop = threading.Event()
    nemesis = Nemesis(town, seed=plan.seed, canary=canary, makers=makers, short=plan.short_holds)
    timer = threading.Timer((plan.minutes or _NO_END) * 60, stop.set)
    timer.daemon = True
    timer.start()
    nemesis.strike(plan.faults, stop)
    timer.cancel()
    return nemesis


def _unhealed(injected: list[Injected]) -> Iterator[Violation]:
    for fault in injected:
        if fault.recovered_after_seconds is None:
            yield Violation(
                promise="everything heals by itself",
                sentence=f"{fault.kind} of {fault.target} at {fault.at_seconds:.0f} s: {fault.detail}",
            )


def _left(left: dict[str, int]) -> Iterator[Violation]:
    for what, count in left.items():
        yield Violation(promise="everything arrives", sentence=f"{count} {what} after {DRAIN_SECONDS:g} s")


def _impossible(town: Town, injected: list[Injected]) -> Iterator[str]:
    """Name what could not be broken: on this machine, or at that moment."""
    for kind, reason in town.impossible.items():
        yield f"{kind} ({reason})"
    for fault in injected:
        if fault.detail.startswith("not injected"):
            yield f"{fault.kind} of {fault.target} at {fault.at_seconds:.0f} s ({fault.detail})"
