"""`flask storage …`: what an operator, or the local stack at its start, does to the bucket."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from igloo_common.web import provided
from igloo_media.storage import Storage

storage_commands = AppGroup("storage", help="The bucket that photos are kept in.")


@storage_commands.command("prepare")
def prepare_storage() -> None:
    """Make the bucket, its CORS rule and its lifecycle rule; again is harmless."""
    storage = provided(Storage)
    storage.prepare()
    click.echo(f"bucket {storage.bucket} is ready")
