"""`flask storage …`: what an operator, or the local stack at its start, does to the bucket."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from igloo_common.web import provided
from igloo_media.reconciliation import BucketEmpty, reconcile
from igloo_media.storage import Storage

storage_commands = AppGroup("storage", help="The bucket that photos are kept in.")


@storage_commands.command("prepare")
def prepare_storage() -> None:
    """Make the bucket, its CORS rule and its lifecycle rule; again is harmless."""
    storage = provided(Storage)
    storage.prepare()
    click.echo(f"bucket {storage.bucket} is ready")


@storage_commands.command("reconcile")
@click.option("--dry-run", is_flag=True, help="Change nothing; the exit status is 1 if anything is wrong.")
@click.pass_context
def reconcile_storage(context: click.Context, *, dry_run: bool) -> None:
    """Hold the bucket against the rows of photos, beside live traffic; one line for each object.

    A ready photo with a rendition missing becomes a failed one, and its post goes on without it. An object
    that belongs to no photo is removed a day later.
    """
    try:
        found = reconcile(
            provided(Storage), only_looks=dry_run, report=lambda kind, key: click.echo(f"{kind:<8} {key}")
        )
    except BucketEmpty as error:
        raise click.ClickException(
            "The bucket holds no photo at all, and there should be some: is it the right one?"
        ) from error
    click.echo(
        f"{found.photos} photos, {found.lost} with files missing ({found.given_up} given up);"
        f" {found.strays} stray objects{'' if dry_run else ' to be removed in a day'}"
    )
    if dry_run and (found.lost or found.strays):
        context.exit(1)
