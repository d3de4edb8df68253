"""Links that are slow, cut, half cut or dead."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from chaos.faults.fault import Fault, Maker, SimpleFault
from chaos.link_modes import PASS, REFUSE, RESET, Mode, blackhole, half_open, latency, slow

if TYPE_CHECKING:
    from chaos.town import Town


def makers(town: Town) -> Iterator[Maker]:
    """Yield a maker for each mode of a link."""
    yield _breaking(
        town,
        "link-latency",
        lambda draw: latency(draw.uniform(0.05, 0.4), jitter_seconds=draw.uniform(0, 0.2)),
    )
    yield _breaking(town, "link-slow", lambda draw: slow(draw.choice((2_000, 20_000, 200_000))))
    yield _breaking(town, "link-reset", lambda _: RESET)
    yield _breaking(town, "link-half-open", lambda draw: half_open(draw.choice(("to", "from"))))
    yield _breaking(town, "link-blackhole", lambda draw: blackhole(forgets=draw.random() < 0.5))
    yield _breaking(town, "link-refuse", lambda _: REFUSE)


def groups_of(names: Sequence[str]) -> dict[str, list[str]]:
    """Return what may break together: each link, and all links of the same two parts.

    `social-web>postgres` and `social-web-2>postgres` make `social-web*>postgres`, and with the others
    `*>postgres`.
    """
    groups = {name: [name] for name in names}
    for name in names:
        asking, asked = name.split(">")
        for wide in (f"{_unnumbered(asking)}*>{_unnumbered(asked)}", f"*>{_unnumbered(asked)}"):
            groups.setdefault(wide, []).append(name)
    return {name: together for name, together in groups.items() if name in names or len(together) > 1}


def _breaking(town: Town, kind: str, mode_of: Callable[[random.Random], Mode]) -> Maker:
    def make(draw: random.Random) -> Fault:
        groups = groups_of([*town.links])
        # First the server, so that one with many links does not take all the turns.
        servers = sorted({_unnumbered(name.split(">")[1]) for name in groups})
        server = draw.choice(servers)
        target = draw.choice(sorted(name for name in groups if _unnumbered(name.split(">")[1]) == server))
        mode = mode_of(draw)
        return _fault(town, kind, target, groups[target], mode)

    return Maker(kind, make)


def _fault(town: Town, kind: str, target: str, names: list[str], mode: Mode) -> Fault:
    def start() -> str:
        town.links.become(names, mode)
        return _worded(mode)

    def end() -> str:
        town.links.become(names, PASS)
        return ""

    return SimpleFault(kind=kind, target=target, breaking=start, mending=end)


def _worded(mode: Mode) -> str:
    match mode.name:
        case "latency":
            return f"{mode.seconds * 1000:.0f} to {(mode.seconds + mode.jitter_seconds) * 1000:.0f} ms"
        case "slow":
            return f"{mode.bytes_per_second} bytes a second"
        case "half-open":
            return "requests are swallowed" if mode.swallowed == "to" else "answers are swallowed"
        case "blackhole":
            return "connections are forgotten" if mode.forgets else "connections survive"
    return ""


def _unnumbered(name: str) -> str:
    head, _, tail = name.rpartition("-")
    return head if tail.isdigit() else name
