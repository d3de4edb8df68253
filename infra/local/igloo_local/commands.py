"""What each command does, with its arguments as argparse takes them."""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from igloo_local import installing
from igloo_local.addresses import FILE_NAME, read_addresses, running_addresses
from igloo_local.backups.commands import run_backup, run_restore
from igloo_local.demo.people import sign_in_one
from igloo_local.errors import StackError
from igloo_local.lock import FolderLock
from igloo_local.migration_sql import print_migration_sql
from igloo_local.orders import give_order
from igloo_local.parts.postgres_roles import SERVICES
from igloo_local.running import place_of, run_stack, seed_running
from igloo_local.settings import LocalSettings, inherited_environment
from igloo_local.waiting import wait_until

STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Command:
    """One command of the command line."""

    help: str
    run: Callable[[LocalSettings, Namespace], int]
    arguments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _run(settings: LocalSettings, options: Namespace) -> int:
    return run_stack(settings, with_demo=not options.no_seed)


def _seed(settings: LocalSettings, _: Namespace) -> int:
    seed_running(settings.folder)
    return 0


def _status(settings: LocalSettings, _: Namespace) -> int:
    holder = FolderLock(settings.folder).holder_pid()
    if holder is None:
        print(f"igloo does not run in {settings.folder}")
        return 1
    if not (settings.folder / FILE_NAME).exists():
        print(f"igloo is starting in {settings.folder} (process {holder})")
        return 1
    stack = read_addresses(settings.folder)
    print(f"igloo runs at {stack['gateway']} (process {holder})")
    for name, pid in sorted(stack["pids"].items()):
        print(f"  {name:16} process {pid}")
    return 0


def _stop(settings: LocalSettings, _: Namespace) -> int:
    lock = FolderLock(settings.folder)
    holder = lock.holder_pid()
    if holder is None:
        print(f"igloo does not run in {settings.folder}")
        return 0
    os.kill(holder, signal.SIGTERM)
    wait_until(lambda: lock.holder_pid() is None, seconds=STOP_SECONDS, what="the end of the running stack")
    print("igloo has stopped")
    return 0


def _restart(settings: LocalSettings, options: Namespace) -> int:
    running_addresses(settings.folder)
    holder = FolderLock(settings.folder).holder_pid()
    if holder is None:
        raise StackError(f"igloo does not run in {settings.folder}; `make run` starts it")
    started = time.monotonic()
    give_order(settings.folder, options.service, holder_pid=holder)
    print(f"{options.service} has been restarted, process by process, in {time.monotonic() - started:.0f} s")
    return 0


def _env(settings: LocalSettings, _: Namespace) -> int:
    stack = running_addresses(settings.folder)
    names = {"GATEWAY": "gateway", "FACEBOOK": "facebook", "FACEBOOK_APP_ID": "facebook_app_id"}
    for variable, key in names.items():
        print(f"export {variable}={shlex.quote(stack[key])}")
    return 0


def _token(settings: LocalSettings, options: Namespace) -> int:
    one = sign_in_one(place_of(settings.folder, running_addresses(settings.folder)), options.username)
    if one is None:
        raise StackError(f"there is no demo person {options.username} in this stack")
    print(one.phone.access_token)
    return 0


def _photo(_: LocalSettings, options: Namespace) -> int:
    from igloo_local.demo.photos import draw_photo  # noqa: PLC0415 - brings libvips, which few commands need
    from igloo_local.demo.scenes import SCENES  # noqa: PLC0415

    seed = options.seed or options.file
    scene = sorted(SCENES)[sum(seed.encode()) % len(SCENES)]
    Path(options.file).write_bytes(draw_photo(scene, seed))
    return 0


def _flask(settings: LocalSettings, options: Namespace) -> int:
    return _run_flask(settings, options.service, options.words)


def _migrate(settings: LocalSettings, _: Namespace) -> int:
    return max(_run_flask(settings, service, ["db", "upgrade"]) for service in SERVICES)


def _run_flask(settings: LocalSettings, service: str, words: list[str]) -> int:
    """Run a flask command exactly as the running service is configured."""
    running_addresses(settings.folder)
    environment = json.loads((settings.folder / service / "environment.json").read_text())
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", f"igloo_{service}.app", *words],
        env={**inherited_environment(), **environment},
        check=False,
    )
    return done.returncode


def _install(_: LocalSettings, options: Namespace) -> int:
    return installing.install_missing(options.what)


def _documents(_: LocalSettings, options: Namespace) -> int:
    from igloo_local import documents  # noqa: PLC0415 - brings the services, which only this command imports

    return (documents.report_stale if options.check else documents.write)(documents.files())


def _migration_sql(_: LocalSettings, __: Namespace) -> int:
    return print_migration_sql()


COMMANDS = {
    "run": Command(
        "start everything, print the address, and stop it at Ctrl-C",
        _run,
        {"--no-seed": {"action": "store_true", "help": "without demo people and posts"}},
    ),
    "seed": Command("add the demo people and posts to the running stack", _seed),
    "status": Command("say whether the stack runs, and with which processes", _status),
    "stop": Command("stop the running stack", _stop),
    "restart": Command(
        "restart a running service process by process, without a failed request",
        _restart,
        {"service": {"choices": SERVICES}},
    ),
    "env": Command('print the running stack\'s addresses for a shell: eval "$(…)"', _env),
    "token": Command(
        "print a fresh access token of a demo person",
        _token,
        {"username": {"nargs": "?", "default": "puffin"}},
    ),
    "photo": Command(
        "draw a photo to try uploads with",
        _photo,
        {"file": {}, "--seed": {"help": "the same seed gives the same photo (default: the file's name)"}},
    ),
    "flask": Command(
        "run a flask command as one of the running services",
        _flask,
        {"service": {"choices": SERVICES}, "words": {"nargs": argparse.REMAINDER, "metavar": "WORD"}},
    ),
    "migrate": Command("bring the running stack's three schemas to the newest migration", _migrate),
    "backup": Command(
        "back up the running stack's three schemas and its bucket, as of one moment",
        run_backup,
        {
            "to": {"metavar": "FOLDER", "help": "is made, and must not be there yet"},
            "--without-objects": {"action": "store_true", "help": "list the objects, and leave their bytes"},
        },
    ),
    "restore": Command(
        "restore a backup into the empty IGLOO_LOCAL_DIR, where nothing runs",
        run_restore,
        {"backup": {"metavar": "FOLDER"}},
    ),
    "documents": Command(
        "write the documents that are drawn from the code: the data model and the events",
        _documents,
        {"--check": {"action": "store_true", "help": "write nothing, fail if one is stale"}},
    ),
    "migration-sql": Command("print the SQL of every migration, for linters", _migration_sql),
    "install": Command(
        "install what the tests need and no package brings, with apt when root",
        _install,
        {"what": {"nargs": "+", "choices": sorted(installing.PROGRAMS)}},
    ),
}
