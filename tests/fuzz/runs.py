"""One worker's share of a run: mutant after mutant through a renderer of its own."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from fuzz.judge import Verdict, child_peak_bytes, parent_peak_bytes, verdict_on
from fuzz.originals import Mutant, mutant
from fuzz.tally import Tally
from igloo_media.images import Renderer
from igloo_media.images.limits import ChildLimits

MAX_PARENT_BYTES = 300_000_000


@dataclass(frozen=True, kw_only=True)
class Share:
    """Which mutants of a run to take: from `first` on, every `step`th, below `end` and for so long."""

    seed: int
    first: int
    step: int
    end: int
    seconds: float
    kept_in: Path
    """Where mutants go over which something went wrong."""


def worked_off(share: Share, *, limits: ChildLimits) -> Tally:
    """Take every mutant of a share; what is found goes into the tally, nothing is raised."""
    tally, renderer, before = Tally(), Renderer(limits), _processes()
    deadline = time.monotonic() + share.seconds
    try:
        for number in range(share.first, share.end, share.step):
            if time.monotonic() > deadline:
                break
            _take(mutant(share.seed, number), renderer, tally, share, limits)
    finally:
        renderer.close()
    tally.violations += [f"process {pid} was left" for pid in _processes() - before]
    tally.parent_peak_bytes = parent_peak_bytes()
    if tally.parent_peak_bytes > MAX_PARENT_BYTES:
        tally.violations.append(f"the parent took {tally.parent_peak_bytes} bytes")
    return tally


def _processes() -> set[int]:
    return {each.pid for each in psutil.Process().children(recursive=True)}


def _take(file: Mutant, renderer: Renderer, tally: Tally, share: Share, limits: ChildLimits) -> None:
    with tempfile.TemporaryDirectory(prefix="igloo-fuzz-") as folder:
        (Path(folder) / "original").write_bytes(file.data)
        began = time.monotonic()
        verdict = verdict_on(renderer, Path(folder), limits=limits)
        tally.note_time(time.monotonic() - began, file.number, file.made_of)
    tally.outcomes[f"{file.kind} {verdict.outcome}"] += 1
    tally.child_peak_bytes = max(tally.child_peak_bytes, child_peak_bytes(renderer))
    if verdict.death:
        tally.deaths[f"{file.kind} {verdict.death}"] += 1
    if verdict.death or verdict.violations:
        _keep(file, verdict, share)
    tally.violations += [
        f"seed {share.seed} number {file.number} ({file.made_of}: {', '.join(file.changes)}): {each}"
        for each in verdict.violations
    ]


def _keep(file: Mutant, verdict: Verdict, share: Share) -> None:
    share.kept_in.mkdir(parents=True, exist_ok=True)
    word = "violation" if verdict.violations else "death"
    (share.kept_in / f"{word}-seed{share.seed}-number{file.number}.{file.kind}").write_bytes(file.data)
