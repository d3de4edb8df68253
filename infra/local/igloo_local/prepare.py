"""Boot steps of one service in one process, because importing it costs more than the steps do.

`python -m igloo_local.prepare igloo_social.app 5432="db upgrade" 5672="events declare"`
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from flask import Flask

from igloo_local.waiting import accepts_connections, wait_until

WAIT_SECONDS = 90.0


def run_steps(app: Flask, steps: Sequence[str]) -> None:
    """Run each flask command once something listens on the port before its equals sign (none: at once)."""
    runner = app.test_cli_runner()
    for step in steps:
        place, _, words = step.partition("=")
        if place:
            host, _, port = place.rpartition(":")
            wait_until(
                lambda host=host, port=port: accepts_connections(int(port), host=host),  # type: ignore[misc]
                seconds=WAIT_SECONDS,
                what=f"something listening on {place}",
            )
        result = runner.invoke(args=words.split())
        print(result.output, end="")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if result.exit_code:
            sys.exit(f"`flask {words}` failed with status {result.exit_code}")


if __name__ == "__main__":
    run_steps(import_module(sys.argv[1]).create_app(), sys.argv[2:])
