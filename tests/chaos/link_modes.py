"""How a link can behave: what the proxy and those who control it say to each other."""

from dataclasses import dataclass
from typing import Literal

ModeName = Literal["pass", "latency", "slow", "reset", "half-open", "blackhole", "refuse"]
Direction = Literal["to", "from"]


@dataclass(frozen=True, kw_only=True)
class Mode:
    """One behaviour of a link; `to` is the direction of requests, `from` that of answers.

    `latency` delays each piece by `seconds` and up to `jitter_seconds` more. `slow` lets `bytes_per_second`
    through in each direction. `reset` resets what is open and whatever comes. `half-open` swallows one
    direction while the other goes on; what has lost bytes is reset once it heals. `blackhole` lets nothing
    through and still takes connections; once it heals, what was held back arrives, or is reset if `forgets`,
    as a firewall does that has lost its table. `refuse` resets what is open and closes the port.
    """

    name: ModeName
    seconds: float = 0.0
    jitter_seconds: float = 0.0
    bytes_per_second: int = 0
    swallowed: Direction = "from"
    forgets: bool = False


PASS = Mode(name="pass")


def latency(seconds: float, *, jitter_seconds: float = 0.0) -> Mode:
    """Delay everything."""
    return Mode(name="latency", seconds=seconds, jitter_seconds=jitter_seconds)


def slow(bytes_per_second: int) -> Mode:
    """Let little through."""
    return Mode(name="slow", bytes_per_second=bytes_per_second)


def half_open(swallowed: Direction) -> Mode:
    """Swallow one direction."""
    return Mode(name="half-open", swallowed=swallowed)


def blackhole(*, forgets: bool = False) -> Mode:
    """Let nothing through, and say nothing of it."""
    return Mode(name="blackhole", forgets=forgets)


RESET = Mode(name="reset")
REFUSE = Mode(name="refuse")
EVERY_MODE = (
    latency(0.2, jitter_seconds=0.1),
    slow(20_000),
    RESET,
    half_open("to"),
    half_open("from"),
    blackhole(),
    blackhole(forgets=True),
    REFUSE,
)
