"""`make chaos`: people use igloo while everything under it breaks; afterwards every promise is checked."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from chaos.fault_run import Run, run
from chaos.page import as_page
from chaos.town import Town

USUAL_MINUTES = 5.0
REPORT = Path("report/chaos")


def main() -> int:
    """Run, write the report, and return 1 when a promise was broken."""
    options = _options()
    minutes = options.minutes if options.minutes or options.faults else USUAL_MINUTES
    plan = Run(
        seed=options.seed,
        clients=options.clients,
        minutes=minutes,
        short_holds=options.short_holds,
        only=tuple(options.only.split(",")) if options.only else (),
        **({"faults": options.faults} if options.faults else {}),
    )
    with (
        tempfile.TemporaryDirectory(prefix="igloo-chaos-") as folder,
        Town(Path(folder), broker=options.broker, replicas=options.replicas) as town,
    ):
        report = run(town, plan)
        if report.violations and options.keep_logs:
            town.keep_logs(REPORT / "logs")
    report.write(REPORT / "chaos.json")
    (REPORT / "index.html").write_text(as_page(report))
    print(json.dumps({**report.summary(), "violations": report.violations}, indent=1))
    print(f"written: {REPORT / 'index.html'}", file=sys.stderr)
    return 1 if report.violations else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=1, help="the same seed breaks the same, in the same order"
    )
    parser.add_argument("--minutes", type=float, help=f"how long things break (default {USUAL_MINUTES:g})")
    parser.add_argument("--faults", type=int, help="how many things break")
    parser.add_argument("--clients", type=int, default=16, help="people at work (default 16)")
    parser.add_argument(
        "--replicas", type=int, default=2, help="web and worker processes a service (default 2)"
    )
    parser.add_argument("--only", help="kinds of faults that begin so, for example kill,link")
    parser.add_argument("--short-holds", action="store_true", help="each lasts 0.5 to 2 s, not 1 to 6")
    parser.add_argument("--broker", default="rabbitmq", choices=("rabbitmq", "filesystem"))
    parser.add_argument(
        "--keep-logs", action="store_true", help="after a violation, keep every process's log"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
