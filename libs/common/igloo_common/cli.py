"""`flask events …`: declare the topology, and look after dead events."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

import click
from flask.cli import AppGroup

from igloo_common.backlog import read_backlog
from igloo_common.command_lines import current_consumers, line
from igloo_common.database import reading, transaction
from igloo_common.dead_events import discard_dead, find_event, list_dead, replay_dead
from igloo_common.repair_cli import repairs
from igloo_common.wiring import current_wiring

events = AppGroup("events", help="The event backbone of this service.")


@events.command("declare")
def declare() -> None:
    """Make this service's exchange, queue and bindings on the broker; safe to repeat."""
    # Only here: every web process has this command line, and none of them has a use for a broker.
    from igloo_common.messaging import broker_at  # noqa: PLC0415

    consumers = current_consumers()
    broker_at(current_wiring().settings.broker_url).declare(consumers.queue, consumers.subscriptions.keys())
    click.echo(f"{consumers.queue}: {len(consumers.subscriptions)} event types")


@events.command("dead")
@click.option("--limit", default=100, show_default=True, help="How many to show at most.")
def dead(limit: int) -> None:
    """List the events that were given up, the oldest first, one a line."""
    with reading() as connection:
        for event in list_dead(connection, limit=limit):
            click.echo(line(asdict(event)))


@events.command("show")
@click.argument("event_id", type=click.UUID)
def show(event_id: UUID) -> None:
    """Show everything that the inbox knows about one event."""
    with reading() as connection:
        event = find_event(connection, event_id)
    if event is None:
        raise click.ClickException(f"The inbox has no event {event_id}.")
    click.echo(line(event, indent=True))


@events.command("replay")
@click.argument("event_id", type=click.UUID, required=False)
@click.option("--all", "everything", is_flag=True, help="Replay every dead event.")
def replay(event_id: UUID | None, everything: bool) -> None:
    """Try dead events again: one by its id, or --all."""
    if (event_id is None) is not everything:
        raise click.UsageError("Give the id of one event, or --all.")
    with transaction() as session:
        replayed = replay_dead(session, event_id)
    if event_id is not None and not replayed:
        raise click.ClickException(f"There is no dead event {event_id}.")
    click.echo(f"{replayed} pending again")


@events.command("discard")
@click.argument("event_id", type=click.UUID)
def discard(event_id: UUID) -> None:
    """Give a dead event up for good, so that later events of its key are applied without it."""
    with transaction() as session:
        discarded = discard_dead(session, event_id)
    if not discarded:
        raise click.ClickException(f"There is no dead event {event_id}.")
    click.echo("discarded")


@events.command("lag")
def lag() -> None:
    """Show what waits in the outbox and the inbox, and for how long."""
    with reading() as connection:
        click.echo(line(asdict(read_backlog(connection)), indent=True))


for _repair in repairs.commands.values():
    events.add_command(_repair)
