"""`flask counts …`: look whether the stored counts agree with what they count, and put them right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from flask.cli import AppGroup

from igloo_social.reconciliation import Reconciliation

if TYPE_CHECKING:
    from igloo_social.reconciliation import Tally

counts = AppGroup("counts", help="The counts that are stored beside what they count.")


@counts.command("reconcile")
@click.option("--dry-run", is_flag=True, help="Change nothing; the exit status is 1 if any count is wrong.")
@click.pass_context
def reconcile(context: click.Context, *, dry_run: bool) -> None:
    """Walk through all stored counts, beside live traffic, and put right those that are wrong.

    One line a kind. What is wrong and cannot be put right makes the exit status 1, too.
    """
    walk = Reconciliation(only_looks=dry_run)
    while walk.step():
        pass
    for kind, tally in walk.tallies.items():
        click.echo(_line(kind, tally))
    if any(tally.wrong > tally.put_right for tally in walk.tallies.values()):
        context.exit(1)


def _line(kind: str, tally: Tally) -> str:
    return (
        f"{kind:<20} {tally.looked_at:>10} looked at  {tally.wrong:>8} wrong  {tally.put_right:>8} put right"
    )
