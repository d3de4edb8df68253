"""The boot steps of all services in one process, because importing a service costs more than its steps do.

`python -m igloo_local.prepare plan.json`, as `parts.preparation` writes the plan.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from flask import Flask

from igloo_common.settings import load_or_exit
from igloo_local.waiting import accepts_connections, wait_until

WAIT_SECONDS = 120.0


def carry_out(plan: dict[str, Any]) -> None:
    """Migrate every schema, say so by a file, then do what needs the broker and S3."""
    apps = {service: _make_app(service, environment) for service, environment in plan["services"].items()}
    for app in apps.values():
        _run(app, "db upgrade")
    Path(plan["migrated_file"]).touch()
    for step in plan["steps"]:
        if step["place"] is not None:
            _wait_for(*step["place"])
        _run(apps[step["service"]], step["words"])


def _make_app(service: str, environment: dict[str, str]) -> Flask:
    load = import_module(f"igloo_{service}.settings").Settings.load
    settings = load_or_exit(lambda: load(environment))
    return cast(Flask, import_module(f"igloo_{service}.app").create_app(settings))


def _wait_for(host: str, port: int) -> None:
    wait_until(
        lambda: accepts_connections(port, host=host),
        seconds=WAIT_SECONDS,
        what=f"somebody listening at {host}:{port}",
    )


def _run(app: Flask, words: str) -> None:
    result = app.test_cli_runner().invoke(args=words.split())
    print(result.output, end="", flush=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if result.exit_code:
        sys.exit(f"`flask {words}` failed with status {result.exit_code}")


if __name__ == "__main__":
    carry_out(json.loads(Path(sys.argv[1]).read_text()))
