"""`make chaos`: people use igloo while its processes are killed; afterwards every promise is checked."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from chaos.fault_run import run
from igloo_local.console import Console
from igloo_local.stack import Stack


def main() -> int:
    """Run, write `report/chaos/chaos.json`, and return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=12)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--broker", default="auto", choices=("auto", "rabbitmq", "filesystem"))
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="igloo-chaos-") as folder,
        Stack(Path(folder), broker=chosen.broker, console=Console()) as stack,
    ):
        report = run(stack, seed=chosen.seed, faults=chosen.faults, clients=chosen.clients)
    folder_of_report = Path("report/chaos")
    folder_of_report.mkdir(parents=True, exist_ok=True)
    (folder_of_report / "chaos.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))
    return 1 if report["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
