"""`flask events …` for repairs: dead letters, parked messages, and publishing again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID

import click
from flask.cli import AppGroup

from igloo_common.command_lines import current_consumers, line
from igloo_common.database import reading, transaction
from igloo_common.event_order import EventsWaiting, check_applied, forget_chunk
from igloo_common.letters import DeadLetter, Fate, LetterRefused
from igloo_common.parked_messages import (
    NotParked,
    StillUnreadable,
    drop_parked,
    find_parked,
    list_parked,
    unpark,
)
from igloo_common.republishing import count_published, republish_chunk
from igloo_common.wiring import current_wiring

repairs = AppGroup("repairs")
_SURE = click.confirmation_option(prompt="It will be gone for good. Drop it?")


@repairs.command("letters")
def letters() -> None:
    """List the messages that queues of any service gave up, one a line; they stay where they are."""

    def show(letter: DeadLetter) -> Fate:
        click.echo(line(asdict(letter)))
        return Fate.KEPT

    with _plain_errors():
        _visit(show)


@repairs.command("redeliver")
@click.argument("event_id", required=False)
@click.option("--all", "everything", is_flag=True, help="Redeliver every dead letter.")
def redeliver(event_id: str | None, everything: bool) -> None:
    """Put dead letters back into the queue that gave them up: one by its id, or --all."""
    if (event_id is None) is not everything:
        raise click.UsageError("Give the id of one letter, or --all.")
    _settle(event_id, Fate.REDELIVERED)


@repairs.command("drop")
@click.argument("event_id")
@_SURE
def drop(event_id: str) -> None:
    """Delete a dead letter for good."""
    _settle(event_id, Fate.DROPPED)


@repairs.command("parked")
@click.argument("action", type=click.Choice(["show", "drop"]), required=False)
@click.argument("parked_id", type=int, required=False)
@click.option("--yes", is_flag=True, help="Drop without asking.")
def parked(action: str | None, parked_id: int | None, yes: bool) -> None:
    """List the messages that could not be read; `show ID` shows one whole, `drop ID` deletes it for good."""
    if action is None:
        with reading() as connection:
            for message in list_parked(connection):
                click.echo(line(asdict(message)))
        return
    if parked_id is None:
        raise click.UsageError("Give the id of a parked message.")
    if action == "drop" and not yes:
        click.confirm("It will be gone for good. Drop it?", abort=True)
    with _plain_errors(), transaction() as session:
        if action == "drop":
            drop_parked(session, parked_id)
            click.echo("dropped")
        else:
            click.echo(line(find_parked(session, parked_id), indent=True))


@repairs.command("unpark")
@click.argument("parked_id", type=int)
def unpark_one(parked_id: int) -> None:
    """Read a parked message again, after a fix, and put it into the inbox."""
    with _plain_errors(), transaction() as session:
        unpark(session, parked_id, handled_types=current_consumers().subscriptions.keys())
    click.echo("in the inbox")


@repairs.command("republish")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]),
    help="Only what was made at this time or later (UTC unless it names its zone).",
)
@click.option("--type", "event_type", help="Only events of this type.")
@click.option("--dry-run", is_flag=True, help="Say how many it would be, and change nothing.")
def republish(since: datetime | None, event_type: str | None, dry_run: bool) -> None:
    """Have the relay publish again what it published in the last 14 days; who knows an event skips it."""
    begin = since if since is None or since.tzinfo else since.replace(tzinfo=UTC)
    if dry_run:
        with reading() as connection:
            click.echo(f"{count_published(connection, since=begin, event_type=event_type)} would be")
        return
    total, after = 0, 0
    while True:
        with transaction() as session:
            repeated, last = republish_chunk(session, since=begin, event_type=event_type, after=after)
        total += repeated
        if last is None:
            break
        after = last
    click.echo(f"{total} to be published again")


@repairs.command("rewind")
@click.argument("publisher")
def rewind(publisher: str) -> None:
    """Go back with PUBLISHER: take what it says from now on for new, whatever it said before.

    For a service whose database alone was brought back to an earlier time: it gives the numbers again that
    it gave after that time, and would be taken for late. Wherever its events are read, before it starts.
    """
    with _plain_errors(), reading() as connection:
        check_applied(connection, publisher=publisher)
    total, after = 0, str(UUID(int=0))
    while True:
        with transaction() as session:
            forgotten, last = forget_chunk(session, publisher=publisher, after=after)
        total += forgotten
        if last is None:
            break
        after = last
    click.echo(f"the order of {total} events is forgotten")


def _settle(event_id: str | None, fate: Fate) -> None:
    settled: list[str] = []

    def decide(letter: DeadLetter) -> Fate:
        if event_id not in (None, letter.id):
            return Fate.KEPT
        settled.append(letter.id)
        return fate

    with _plain_errors():
        _visit(decide)
    if event_id is not None and not settled:
        raise click.ClickException(f"There is no dead letter {event_id}.")
    click.echo(f"{len(settled)} {fate.value}")


def _visit(decide: Callable[[DeadLetter], Fate]) -> None:
    # Only here: every web process has this command line, and none of them has a use for a broker.
    from igloo_common.messaging.dead_letters import visit_letters  # noqa: PLC0415

    visit_letters(current_wiring().settings.broker_url, decide)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Say in a sentence what an operator can understand."""
    from igloo_common.messaging import BrokerUnavailable  # noqa: PLC0415 - see _visit

    try:
        yield
    except BrokerUnavailable as error:
        raise click.ClickException(f"The broker does not answer: {error}") from error
    except (EventsWaiting, LetterRefused, NotParked, StillUnreadable) as error:
        raise click.ClickException(str(error)) from error
