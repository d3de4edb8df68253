"""How a process becomes a mutant, and which processes each mutant needs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_SITE = Path(__file__).parent / "site"

MUTANTS: Mapping[str, Sequence[str]] = {
    "outbox_off": ("social-web", "social-worker"),
    "acknowledged_first": ("social-worker",),
    "inbox_not_unique": ("social-worker",),
}
"""The processes to mutate, by mutant."""


def mutated(environment: Mapping[str, str], mutant: str) -> Mapping[str, str]:
    """Return what a process is told that is to be a mutant; only its start makes it one."""
    path = os.pathsep.join([str(_SITE), environment.get("PYTHONPATH", "")])
    return {**environment, "IGLOO_MUTANT": mutant, "PYTHONPATH": path}
