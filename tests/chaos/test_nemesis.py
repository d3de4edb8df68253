"""The nemesis's plan and how it keeps to it, without a stack."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from functools import partial

from chaos.faults.fault import Maker, SimpleFault
from chaos.faults.networks import groups_of
from chaos.nemesis import Nemesis
from chaos.plan import strikes

KINDS = ("kill-web", "link-slow", "clock-jump", "migrate")


@dataclass
class Tundra:
    """A town that notes what happens to it."""

    happened: list[str] = field(default_factory=list)
    sick: str = ""
    sings_at_all: bool = True

    def unready(self) -> str:
        """Say what is wrong with it."""
        return self.sick

    def sings(self, *, within_seconds: float) -> bool:
        """Note that the canary was asked."""
        self.happened.append("sings")
        return self.sings_at_all

    def makers(self, *kinds: str) -> list[Maker]:
        """Return a maker of faults that are only noted for each kind."""
        return [Maker(kind, partial(self.fault, kind)) for kind in kinds]

    def fault(self, kind: str, draw: random.Random) -> SimpleFault:
        """Return one such fault."""

        def note(what: str) -> str:
            self.happened.append(f"{what} {kind}")
            return what

        return SimpleFault(
            kind=kind,
            target=draw.choice(("fox", "hare", "owl", "seal")),
            breaking=lambda: note("breaks"),
            mending=lambda: note("mends"),
            hold_seconds=(0, 0),
            bound_seconds=0.2,
        )


def nemesis_of(town: Tundra, *kinds: str, seed: int = 1, every_pair: int = 0) -> Nemesis:
    return Nemesis(town, seed=seed, canary=town, makers=town.makers(*kinds), every_pair=every_pair)


def test_the_same_seed_makes_the_same_plan_and_another_seed_another() -> None:
    def plan(seed: int) -> list[tuple[str, str]]:
        nemesis = nemesis_of(Tundra(), *KINDS, seed=seed)
        nemesis.strike(20, threading.Event())
        return [(one.kind, one.target) for one in nemesis.injected]

    assert plan(5) == plan(5)
    assert plan(5) != plan(6)


def test_the_plan_does_not_depend_on_the_order_in_which_kinds_are_named() -> None:
    first, second = strikes(KINDS, seed=3), strikes(KINDS[::-1], seed=3)

    assert [next(first) for _ in range(9)] == [next(second) for _ in range(9)]


def test_every_kind_comes_before_any_comes_twice() -> None:
    plan = strikes(KINDS, seed=9)

    rounds = [[next(plan).kind for _ in KINDS] for _ in range(5)]

    assert all(sorted(one) == sorted(KINDS) for one in rounds)
    assert len({tuple(one) for one in rounds}) > 1


def test_each_fault_is_mended_and_has_healed_before_the_next_begins() -> None:
    town = Tundra()
    nemesis = nemesis_of(town, "kill-web", "migrate")

    nemesis.strike(2, threading.Event())

    first, second = (one.kind for one in nemesis.injected)
    assert town.happened == [
        *(f"breaks {first}", f"mends {first}", "sings"),
        *(f"breaks {second}", f"mends {second}", "sings"),
    ]
    assert nemesis.injected[0].detail == "breaks; mends"


def test_two_faults_of_different_kinds_may_come_at_once() -> None:
    town = Tundra()
    nemesis = nemesis_of(town, "kill-web", "migrate", every_pair=1)

    nemesis.strike(2, threading.Event())

    assert len(nemesis.injected) == 2
    assert [event.split()[0] for event in town.happened] == ["breaks", "breaks", "mends", "mends", "sings"]


def test_the_run_ends_with_a_town_that_does_not_become_ready() -> None:
    town = Tundra(sick="the owl sleeps")
    nemesis = nemesis_of(town, *KINDS)

    nemesis.strike(3, threading.Event())

    (one,) = nemesis.injected
    assert one.recovered_after_seconds is None
    assert one.detail.endswith("not ready within 0.2 s: the owl sleeps")


def test_the_run_ends_with_a_canary_that_is_silent() -> None:
    nemesis = nemesis_of(Tundra(sings_at_all=False), *KINDS)

    nemesis.strike(3, threading.Event())

    (one,) = nemesis.injected
    assert one.recovered_after_seconds is None
    assert "canary" in one.detail


def test_a_fault_that_cannot_be_injected_is_told_and_mended_all_the_same() -> None:
    town = Tundra()

    def fails() -> str:
        raise OSError("no such owl")

    def make(draw: random.Random) -> SimpleFault:
        fault = town.fault("kill-web", draw)
        fault.breaking = fails
        return fault

    nemesis = Nemesis(town, seed=1, canary=town, makers=[Maker("kill-web", make)])

    nemesis.strike(1, threading.Event())

    assert town.happened == ["mends kill-web", "sings"]
    assert nemesis.injected[0].detail == "not injected: OSError: no such owl; mends"


def test_nothing_is_injected_once_the_run_is_to_stop() -> None:
    town, stop = Tundra(), threading.Event()
    stop.set()

    nemesis_of(town, *KINDS).strike(3, stop)

    assert town.happened == []


def test_links_break_alone_or_with_all_of_the_same_two_parts() -> None:
    groups = groups_of(["owl-web>ice", "owl-web-2>ice", "fox-web>ice", "fox-web>sea"])

    assert groups == {
        **{name: [name] for name in ("owl-web>ice", "owl-web-2>ice", "fox-web>ice", "fox-web>sea")},
        "owl-web*>ice": ["owl-web>ice", "owl-web-2>ice"],
        "*>ice": ["owl-web>ice", "owl-web-2>ice", "fox-web>ice"],
    }


def test_what_was_killed_has_to_come_back_before_the_town_is_asked() -> None:
    town, looks = Tundra(), iter((False, False, True))

    def make(draw: random.Random) -> SimpleFault:
        fault = town.fault("kill-gateway", draw)
        fault.over = lambda: next(looks)
        fault.bound_seconds = 10.0
        return fault

    nemesis = Nemesis(town, seed=1, canary=town, makers=[Maker("kill-gateway", make)])

    nemesis.strike(1, threading.Event())

    assert next(looks, None) is None
    assert nemesis.injected[0].recovered_after_seconds is not None
