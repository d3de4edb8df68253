"""`make fuzz`: mutants of good photos go through the real renderer; afterwards every promise is checked."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from fuzz.runs import Share
from fuzz.workers import worked_off_together

FOLDER = Path("report/fuzz")


def main() -> int:
    """Run, write `report/fuzz/fuzz.json`, and return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="how long at most")
    parser.add_argument("--count", type=int, default=20_000, help="how many mutants at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--first", type=int, default=0, help="with --count 1: repeat the mutant of this number"
    )
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    began = time.monotonic()
    whole = Share(
        seed=chosen.seed,
        first=chosen.first,
        step=chosen.workers,
        end=chosen.first + chosen.count,
        seconds=chosen.seconds,
        kept_in=FOLDER,
    )
    tally = worked_off_together(whole)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "fuzz.json").write_text(json.dumps(tally.as_document(), indent=1) + "\n")
    print(tally.as_table())
    print(f"{tally.count} mutants of seed {whole.seed} in {time.monotonic() - began:.0f} s")
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
