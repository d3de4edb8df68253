"""What is no backup, or no place for one, is refused in a sentence, and nothing has changed then."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from igloo_local.addresses import running_addresses
from igloo_local.backups.backing_up import back_up
from igloo_local.backups.manifest import DATABASE, INVENTORY, MANIFEST, OBJECTS, BackupFile, Manifest
from igloo_local.backups.restoring import restore
from igloo_local.console import Console
from igloo_local.errors import StackError
from igloo_local.lock import FolderLock

FIRST = {"auth": "0001", "social": "0001", "media": "0001"}
Change = Callable[[Path], object]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """Make what looks like a backup from outside; its dump is none."""
    folder = tmp_path / "backup"
    folder.mkdir()
    (folder / DATABASE).write_bytes(b"PGDMP, or so it says")
    gzip.open(folder / INVENTORY, "wt").close()
    tarfile.open(folder / OBJECTS, "w").close()
    write_manifest(folder)
    return folder


def write_manifest(folder: Path, **changed: Any) -> None:  # noqa: ANN401 - any field of it
    files = {name: BackupFile.of(folder / name) for name in (DATABASE, INVENTORY, OBJECTS)}
    whole: dict[str, Any] = {
        "taken_at": "2026-11-24T10:00:00+00:00",
        "revisions": FIRST,
        "rows": {},
        "objects": 0,
        "object_bytes": 0,
        "files": files,
    }
    Manifest(**{**whole, **changed}).write(folder)


def written(folder: Path, **changed: object) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def refused(backup: Path, target: Path) -> str:
    with pytest.raises(StackError) as caught:
        restore(backup, target, console=Console(quiet=True))
    return str(caught.value)


def left_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


WRONG: dict[str, tuple[Change, str]] = {
    "an interrupted backup": (lambda folder: (folder / MANIFEST).unlink(), "it has no manifest.json"),
    "half a manifest": (lambda folder: (folder / MANIFEST).write_text('{"format"'), "cannot be read"),
    "a manifest of something else": (lambda folder: (folder / MANIFEST).write_text("[]"), "cannot be read"),
    "a manifest without its files": (lambda folder: written(folder, files={}), "does not say what a backup"),
    "a file elsewhere": (
        lambda folder: written(folder, files={"../x": {"size_bytes": 0, "sha256": ""}}),
        "does not say what a backup holds",
    ),
    "a newer format": (lambda folder: written(folder, format=2), "format 2, and this code knows 1"),
    "a missing file": (lambda folder: (folder / DATABASE).unlink(), "database.dump is missing"),
    "a changed file": (
        lambda folder: (folder / OBJECTS).write_bytes(b"x" * (folder / OBJECTS).stat().st_size),
        "objects.tar is not the file that was backed up",
    ),
    "a later release": (
        lambda folder: write_manifest(folder, revisions={**FIRST, "social": "9999"}),
        "schema social is at migration 9999, which this code does not know",
    ),
    "more than fits": (
        lambda folder: write_manifest(folder, object_bytes=10**18),
        "and the restored stack takes about 1,000,000,000,2",
    ),
    "other schemas": (lambda folder: write_manifest(folder, revisions={"auth": "0001"}), "not of igloo's"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_whole_backup_of_this_or_an_earlier_release_is_refused(
    backup: Path, tmp_path: Path, what: str
) -> None:
    change, sentence = WRONG[what]
    change(backup)

    assert sentence in refused(backup, tmp_path / "target")
    assert left_in(tmp_path) == ["backup"]


def test_a_folder_that_is_not_there_is_no_backup(tmp_path: Path) -> None:
    assert "is not a backup" in refused(tmp_path / "nowhere", tmp_path / "target")
    assert left_in(tmp_path) == []


def test_a_folder_in_which_something_is_kept_is_no_place_for_a_restore(backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "postgres").mkdir(parents=True)

    assert f"{target} is not empty" in refused(backup, target)
    assert left_in(target) == ["postgres"]


def test_a_folder_in_which_a_stack_runs_is_no_place_for_a_restore(backup: Path, tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "target")
    lock.take()
    try:
        assert "igloo runs in" in refused(backup, tmp_path / "target")
    finally:
        lock.release()


def test_a_restore_that_fails_half_way_leaves_what_was_there(backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()

    assert "pg_restore failed" in refused(backup, target)
    assert left_in(target) == []
    assert left_in(tmp_path) == ["backup", "target"]


def test_a_backup_goes_over_nothing_and_needs_a_stack_that_runs(tmp_path: Path) -> None:
    with pytest.raises(StackError) as nothing_runs:
        running_addresses(tmp_path)
    with pytest.raises(StackError) as something_there:
        back_up(tmp_path, tmp_path)

    assert "igloo does not run in" in str(nothing_runs.value)
    assert "is there already" in str(something_there.value)
