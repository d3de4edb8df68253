"""Takes a backup of a running stack, beside live traffic.

The snapshot of the database comes first. Nothing that it names leaves the bucket until the inventory is
whole, because whoever removes objects waits for that; what comes into the bucket meanwhile is in the backup
without a row, and the reconciliation after a restore says so.

No secret of igloo is in a backup: neither signing keys nor SECRET_KEY nor address keys nor passwords. A
stack that is restored makes up its own. So its phones get 401 with their access tokens and refresh them as
always (refresh tokens are stored by a hash that needs no key); cursors and tokens of feed changes are
`invalid_cursor`; addresses of photos are 403 until the next answer brings fresh ones. What is sealed under
SECRET_KEY for minutes, Facebook's tokens for a look at somebody's friends, is given up, and a Facebook
callback about somebody who was deleted before the backup finds nobody. With the old SECRET_KEY none of this
happens.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from igloo_local.addresses import read_addresses
from igloo_local.backups import bucket, database
from igloo_local.backups.manifest import DATABASE, FACEBOOK, INVENTORY, OBJECTS, BackupFile, Manifest
from igloo_local.backups.stand_in import keep_stand_in
from igloo_local.errors import StackError


def back_up(stack_folder: Path, target: Path, *, with_objects: bool = True) -> Manifest:
    """Write a backup of the stack that runs in a folder, whole or not at all.

    Raises:
        StackError: there is something at the target, the stack has not all parts of its own, or a part fails.
    """
    target = target.absolute()
    if target.exists():
        raise StackError(f"{target} is there already: name a folder that is not")
    stack = _stack_of(stack_folder)
    aside = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(mode=0o700, parents=True)
        manifest = _write(aside, stack, with_objects=with_objects)
        aside.rename(target)
    except OSError as error:
        raise StackError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return manifest


@dataclass(frozen=True, kw_only=True)
class _Stack:
    """Where everything is that goes into a backup."""

    folder: Path
    database_url: str
    environment: Mapping[str, str]
    """What the media service is told."""


def _write(folder: Path, stack: _Stack, *, with_objects: bool) -> Manifest:
    inventory, objects = folder / INVENTORY, folder / OBJECTS if with_objects else None
    with database.snapshot(stack.database_url) as held:
        database.dump(stack.database_url, held, folder / DATABASE)
        taken = bucket.take_inventory(bucket.store_of(stack.environment), inventory, objects)
    # After the snapshot: whoever has an account by then is known to Facebook.
    keep_stand_in(stack.folder, folder / FACEBOOK)
    manifest = Manifest(
        taken_at=held.taken_at.isoformat(),
        revisions=held.revisions,
        rows=held.rows,
        objects=taken.objects,
        object_bytes=taken.object_bytes,
        files={path.name: BackupFile.of(path) for path in sorted(folder.iterdir())},
    )
    manifest.write(folder)
    return manifest


def _stack_of(folder: Path) -> _Stack:
    databases = read_addresses(folder)["databases"]
    environment: dict[str, str] = json.loads((folder / "media" / "environment.json").read_text())
    if "superuser" not in databases or not (folder / "s3" / "data").is_dir():
        raise StackError(
            "only a stack's own PostgreSQL and S3 are backed up, not those that were given by an address"
        )
    return _Stack(folder=folder, database_url=databases["superuser"], environment=environment)
