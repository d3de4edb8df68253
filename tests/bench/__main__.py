"""`make bench`: start the stack as in production, load the town, measure each line, write the report."""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.batches import measure_batch
from bench.growth import TOWNS, build_towns, measure_growth
from bench.overload import measure_overload
from bench.photo_costs import measure_photos
from bench.plans import write_plans
from bench.renditions import measure_renditions
from bench.stack_bench import Bench
from igloo_local.console import Console
from igloo_local.stack import Stack

# All of the bench comes from one address.
UNLIMITED = dict.fromkeys(
    (
        "IGLOO_TOKENS_PER_ADDRESS",
        "IGLOO_NONCES_PER_ADDRESS",
        "IGLOO_SIGN_INS_PER_IDENTITY",
        "IGLOO_UPLOADS_PER_HOUR",
    ),
    "1000000",
)


def main() -> None:
    """Run the bench and write `report/bench`."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="requests for each measured line")
    parser.add_argument(
        "--only",
        choices=(
            "all",
            "signing-in",
            "uploads",
            "growth",
            "growth-data",
            "plans",
            "renditions",
            "photos",
            "batch",
            "overload",
        ),
        default="all",
        help="which lines",
    )
    parser.add_argument(
        "--towns", nargs="+", choices=tuple(TOWNS), default=tuple(TOWNS), help="for growth: in which"
    )
    parser.add_argument("--reads", nargs="+", default=("",), help="for growth: by words of names")
    parser.add_argument(
        "--quick", action="store_true", help="for renditions, photos, batch and overload: less"
    )
    parser.add_argument("--broker", default="auto", choices=("auto", "rabbitmq", "filesystem"))
    chosen = parser.parse_args()
    towns = [TOWNS[name] for name in chosen.towns]
    apart: dict[str, Callable[[], None]] = {
        "growth-data": lambda: build_towns(towns),
        "plans": lambda: write_plans(towns[-1], broker=chosen.broker),
        "growth": lambda: measure_growth(
            towns, requests=chosen.requests, broker=chosen.broker, only=chosen.reads
        ),
        "renditions": lambda: measure_renditions(quick=chosen.quick),
        "photos": lambda: measure_photos(quick=chosen.quick),
        "batch": lambda: measure_batch(quick=chosen.quick, broker=chosen.broker, given=UNLIMITED),
        "overload": lambda: measure_overload(quick=chosen.quick, broker=chosen.broker, given=UNLIMITED),
    }
    if chosen.only in apart:
        apart[chosen.only]()
        return
    with (
        tempfile.TemporaryDirectory(prefix="igloo-bench-") as folder,
        Stack(Path(folder), broker=chosen.broker, given=UNLIMITED, console=Console()) as stack,
    ):
        bench = Bench(stack, requests=chosen.requests)
        runs = {"all": bench.run, "signing-in": bench.run_signing_in, "uploads": bench.run_uploads}
        report = runs[chosen.only]()
    report.write(Path("report/bench"))
    print(report.as_markdown())


if __name__ == "__main__":
    main()
