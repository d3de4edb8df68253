"""`make run`: start, show, wait, stop."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import requests

from igloo_local.addresses import FILE_NAME, read_addresses
from igloo_local.console import Console
from igloo_local.demo.people import Place, SignedIn, sign_in_everybody
from igloo_local.demo.seeding import Seeding, SeedingFailed
from igloo_local.errors import StackError
from igloo_local.orders import Orders
from igloo_local.phone import Refused
from igloo_local.settings import LocalSettings
from igloo_local.stack import Interrupted, Stack

EX_INTERRUPTED = 130
# The address is printed by then, whether the demo data is complete or still growing.
ADDRESS_WITHIN_SECONDS = 40.0
_LOOK_SECONDS = 0.1


def run_stack(settings: LocalSettings, *, with_demo: bool) -> int:
    """Run the stack until a signal ends it; the return value is the exit status.

    Raises:
        StackError: it does not start; everything has been stopped by then.
    """
    console = Console()
    stack = Stack(
        settings.folder,
        broker=settings.broker,
        gateway_port=settings.gateway_port,
        given=settings.given,
        console=console,
    )
    _stop_at_signals(stack)
    try:
        stack.start()
    except Interrupted as interruption:
        console.say(str(interruption))
        return EX_INTERRUPTED
    with Orders(stack.folder, stack.restart):
        try:
            _serve(stack, console, with_demo=with_demo)
        finally:
            # A restart that was ordered is given up by this, so that nothing is waited for after it.
            console.say("\nstopping")
            stack.stop()
        console.say(f"stopped; the data stays in {_short(stack.folder)}")
    return 0


def seed_running(folder: Path) -> None:
    """Complete the demo data of the stack that runs in `folder`."""
    if not (folder / FILE_NAME).exists():
        raise StackError(f"igloo does not run in {folder}; `make run` starts it")
    console = Console()
    place = place_of(folder, read_addresses(folder))
    seeding = Seeding(place, sign_in_everybody(place), report=console.step)
    if not seeding.is_complete:
        seeding.run()
    console.step("demo data is complete")


def place_of(folder: Path, stack: dict[str, Any]) -> Place:
    """Return what the demo needs to know of a running stack.

    Raises:
        StackError: that stack uses another Facebook, where nobody can be made up.
    """
    if not stack["facebook_app_secret"]:
        raise StackError("demo people come from the Facebook stand-in, and this stack uses another Facebook")
    return Place(
        folder=folder,
        gateway=stack["gateway"],
        facebook=stack["facebook"],
        app_id=stack["facebook_app_id"],
        app_secret=stack["facebook_app_secret"],
    )


def _serve(stack: Stack, console: Console, *, with_demo: bool) -> None:
    people: list[SignedIn] = []
    demo: threading.Thread | None = None
    if with_demo and stack.parts.facebook is None:
        console.step("no demo data: people come from the Facebook stand-in, and another Facebook is used")
    elif with_demo:
        people = _sign_in(stack)
        demo = _start_seeding(stack, people, console)
    while demo is not None and demo.is_alive() and not _is_time_for_address(stack, console):
        time.sleep(_LOOK_SECONDS)
    if not stack.stop_requested.is_set():
        _show(stack, people, console)
    while not stack.stop_requested.is_set():
        time.sleep(_LOOK_SECONDS)
    if demo is not None:
        demo.join()


def _sign_in(stack: Stack) -> list[SignedIn]:
    try:
        people = sign_in_everybody(place_of(stack.folder, vars(stack.addresses)))
    except (Refused, requests.RequestException) as error:
        raise StackError(f"the demo people cannot sign in: {error}") from error
    stack.addresses.people = [one.described() for one in people]
    stack.write_addresses()
    return people


def _start_seeding(stack: Stack, people: list[SignedIn], console: Console) -> threading.Thread | None:
    place = place_of(stack.folder, vars(stack.addresses))
    seeding = Seeding(place, people, report=console.step, stop_requested=stack.stop_requested)
    if seeding.is_complete:
        return None
    console.step("demo data: 12 people draw and upload photos for 60 posts (first time only)")
    thread = threading.Thread(target=_seed, args=(seeding, console), name="seeding", daemon=True)
    thread.start()
    return thread


def _seed(seeding: Seeding, console: Console) -> None:
    try:
        seeding.run()
    except (Refused, requests.RequestException, TimeoutError, SeedingFailed) as error:
        console.step(f"demo data is not complete: {error} (`make seed` tries again)")
    else:
        if not seeding.stop_requested.is_set():
            console.step("demo data is complete")


def _is_time_for_address(stack: Stack, console: Console) -> bool:
    return stack.stop_requested.is_set() or console.seconds > ADDRESS_WITHIN_SECONDS


def _show(stack: Stack, people: list[SignedIn], console: Console) -> None:
    where = stack.addresses
    console.say(f"\n  igloo is ready after {console.seconds:.0f} s\n")
    console.say(f"  demo client   {where.gateway}")
    console.say(f"  API docs      {where.docs}")
    console.say(f"  Facebook      {where.facebook}")
    console.say(f"  logs          {_short(Path(where.logs))}")
    if people:
        console.say(f"\n  access token of {people[0].character.username}, good for ten minutes")
        console.say("  (`.venv/bin/python -m igloo_local token` prints a fresh one):")
        console.say(f"  {people[0].phone.access_token}")
    console.say("\n  Ctrl-C stops all of it.")


def _stop_at_signals(stack: Stack) -> None:
    """End gracefully at the first signal, at once at the second."""

    def stop(_number: int, _frame: object) -> None:
        if stack.stop_requested.is_set():
            # The kernel ends the children: each was started to die with us.
            os._exit(EX_INTERRUPTED)
        stack.stop_requested.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
