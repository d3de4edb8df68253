"""`backup` and `restore` of the command line; what they need is imported when they are called."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from igloo_local.addresses import running_addresses
from igloo_local.console import Console
from igloo_local.errors import StackError
from igloo_local.settings import LocalSettings


def run_backup(settings: LocalSettings, options: Namespace) -> int:
    """Back up the running stack."""
    from igloo_local.backups.backing_up import back_up  # noqa: PLC0415 - brings S3's client

    running_addresses(settings.folder)
    manifest = back_up(settings.folder, Path(options.to), with_objects=not options.without_objects)
    print(
        f"{options.to} is a backup as of {manifest.taken_at}: {manifest.rows['social.posts']} posts of"
        f" {manifest.rows['auth.accounts']} people, and {manifest.objects} objects"
        + (" in the inventory alone" if options.without_objects else "")
    )
    return 0


def run_restore(settings: LocalSettings, options: Namespace) -> int:
    """Restore a backup into an empty folder."""
    from igloo_local.backups.restoring import restore  # noqa: PLC0415 - brings S3's client

    for name in settings.given:
        if name.endswith(("_DATABASE_URL", "S3_ENDPOINT")):
            raise StackError(f"{name} is set: restore goes into a PostgreSQL and an S3 of the stack's own")
    manifest = restore(Path(options.backup), settings.folder, console=Console())
    print(f"{settings.folder} is as it was at {manifest.taken_at}; `make run` starts it")
    return 0
