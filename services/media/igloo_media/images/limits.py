"""How much of this machine one photo may use."""

from dataclasses import dataclass

MAX_BYTES = 25_000_000
MAX_PIXELS = 50_000_000
MAX_FRAMES = 60
# Of all frames of an animation together: what is decoded, one frame after the other.
MAX_ANIMATION_PIXELS = 100_000_000


@dataclass(frozen=True, kw_only=True)
class ChildLimits:
    """What the child process may use; the system enforces it, so that a bomb kills the child alone."""

    memory_bytes: int = 1_536 * 1024 * 1024
    cpu_seconds: int = 20
    wall_seconds: float = 30.0
    written_bytes: int = 32 * 1024 * 1024
    photos_per_child: int = 200
