"""Restores a backup into an empty folder: what is there afterwards is a stopped stack, or what was before.

Everything is made in a folder beside it, which takes the place of the empty one at the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from igloo_local import leftovers
from igloo_local.backups import bucket, database
from igloo_local.backups.manifest import DATABASE, FACEBOOK, INVENTORY, OBJECTS, Manifest, read_backup
from igloo_local.backups.stand_in import bring_back_stand_in
from igloo_local.console import Console
from igloo_local.environments import storage_environment
from igloo_local.errors import StackError
from igloo_local.lock import FolderLock
from igloo_local.parts.postgres_roles import SERVICES
from igloo_local.parts.preparation import BootStep
from igloo_local.parts_list import PartsList
from igloo_local.ports import free_port
from igloo_local.source import ROOT
from igloo_local.stack import check_path

_LOCK_FILE = "run.lock"
_EMPTY_STACK_BYTES = 256 * 1024 * 1024
# The dump is compressed, and has no indexes in it.
_GROWTH = 10


def restore(backup: Path, folder: Path, *, console: Console) -> Manifest:
    """Bring a backup into an empty folder of a stack that does not run.

    Raises:
        StackError: the backup is none, damaged or too new, the folder is not empty, or a part fails. Nothing
            has changed then.
    """
    folder = folder.absolute()
    check_path(folder)
    manifest = read_backup(backup.absolute())
    check_revisions(manifest.revisions)
    check_empty(folder)
    check_room(folder, manifest)
    with _folder_beside(folder) as aside:
        _fill(aside, backup.absolute(), manifest, console)
        _take_the_place(aside, folder)
    return manifest


def check_empty(folder: Path) -> None:
    """Make sure that nothing runs in a folder, and that nothing is kept there.

    Raises:
        StackError: something does, or is.
    """
    holder = FolderLock(folder).holder_pid()
    if holder is not None:
        raise StackError(
            f"igloo runs in {folder} (process {holder}): stop it, and restore into an empty folder"
        )
    if folder.exists() and not folder.is_dir():
        raise StackError(f"{folder} is not a folder")
    if folder.exists() and any(entry.name != _LOCK_FILE for entry in folder.iterdir()):
        raise StackError(
            f"{folder} is not empty: restore into another folder (IGLOO_LOCAL_DIR=…), or `make clean` first"
        )


def check_room(folder: Path, manifest: Manifest) -> None:
    """Make sure that a stack with all of a backup in it fits on the disk, as far as one can tell.

    Raises:
        StackError: it does not.
    """
    objects = manifest.object_bytes if OBJECTS in manifest.files else 0
    needed = _EMPTY_STACK_BYTES + _GROWTH * manifest.files[DATABASE].size_bytes + objects
    disk = next(parent for parent in folder.parents if parent.exists())
    free = shutil.disk_usage(disk).free
    if free < needed:
        raise StackError(
            f"the disk of {disk} has {free // 10**6:,} MB free, and the restored stack takes about"
            f" {needed // 10**6:,} MB"
        )


def check_revisions(revisions: Mapping[str, str]) -> None:
    """Make sure that the code knows every schema's newest migration.

    Raises:
        StackError: it does not know one: the backup is of a later release.
    """
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - nothing else in this package needs it
    from alembic.util import CommandError  # noqa: PLC0415

    if revisions.keys() != set(SERVICES):
        raise StackError(f"the backup is of the schemas {', '.join(sorted(revisions))}, not of igloo's three")
    for service, revision in revisions.items():
        scripts = ScriptDirectory(str(ROOT / "services" / service / f"igloo_{service}" / "migrations"))
        try:
            scripts.get_revision(revision)
        except CommandError as error:
            raise StackError(
                f"the backup's schema {service} is at migration {revision}, which this code does not know:"
                " restore it with the release that made it, or a later one"
            ) from error


def _fill(aside: Path, backup: Path, manifest: Manifest, console: Console) -> None:
    if FACEBOOK in manifest.files:
        bring_back_stand_in(backup / FACEBOOK, aside)
    # The gateway is not started: `make run` chooses its port.
    parts = PartsList(aside, given={}, gateway_port=free_port(), console=console)
    postgres, seaweed = parts.own_stores()
    with ExitStack() as running:
        running.callback(parts.preparation.stop)
        running.enter_context(postgres)
        url = postgres.url
        database.load(url, backup / DATABASE)
        console.step("the three schemas are as they were")
        repeated = database.bring_back_messages(url, taken_at=datetime.fromisoformat(manifest.taken_at))
        console.step(f"{repeated} events will be published again, for whoever had not received them")
        running.enter_context(seaweed)
        objects = backup / OBJECTS if OBJECTS in manifest.files else None
        store = bucket.store_of(storage_environment(seaweed))
        put = bucket.put_back(store, backup / INVENTORY, objects)
        console.step(f"{put} objects are back in the bucket")
        _reconcile(parts, with_objects=objects is not None)
    console.step("schemas are at this code's newest migration, and counts have been reconciled")
    if objects is None:
        console.say("The backup has no objects: bring them back, then run `flask … storage reconcile`.")


def _reconcile(parts: PartsList, *, with_objects: bool) -> None:
    """Migrate, and look whether everything agrees; without the objects only the database can be looked at."""
    parts.use_broker("filesystem")
    parts.configure()
    words = [("social", "feed expire-changes"), ("social", "counts reconcile")]
    if with_objects:
        words.append(("media", "storage reconcile"))
    environments = {name: service.environment for name, service in parts.services.items()}
    steps = [BootStep(service=service, words=said, place=None) for service, said in words]
    parts.preparation.configure(environments, steps)
    parts.preparation.start()
    parts.preparation.wait_until_done()
    # The next start writes this log anew, and somebody may want to read what was found.
    log = parts.preparation.logs / "prepare.log"
    log.rename(log.with_name("restore.log"))


@contextmanager
def _folder_beside(folder: Path) -> Iterator[Path]:
    """Give a fresh folder on the same file system, locked, and gone afterwards unless it was moved away."""
    aside = folder.with_name(f".{folder.name.lstrip('.')}.restoring")
    lock = FolderLock(aside)
    lock.take()
    try:
        for record in aside.glob("*/*.process.json"):
            leftovers.end(record)
        for entry in aside.iterdir():
            if entry.name != _LOCK_FILE:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        yield aside
    finally:
        lock.release()
        shutil.rmtree(aside, ignore_errors=True)


def _take_the_place(aside: Path, folder: Path) -> None:
    try:
        (folder / _LOCK_FILE).unlink(missing_ok=True)
        aside.rename(folder)
    except OSError as error:
        raise StackError(f"{folder} cannot be replaced by what was restored: {error.strerror}") from error
