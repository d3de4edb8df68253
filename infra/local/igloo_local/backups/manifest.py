"""What a backup consists of: its files by size and checksum, and what the database was when it was taken."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from igloo_local.errors import StackError
from igloo_local.files import write_secret

FORMAT = 1
MANIFEST, DATABASE, INVENTORY, OBJECTS = "manifest.json", "database.dump", "inventory.jsonl.gz", "objects.tar"
FACEBOOK = "facebook.tar"
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class BackupFile:
    """One file of a backup."""

    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Measure a file."""
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        return cls(size_bytes=path.stat().st_size, sha256=digest.hexdigest())


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Written last: a folder without it is no backup."""

    taken_at: str
    """The database's time at the snapshot, as ISO 8601 in UTC."""
    revisions: Mapping[str, str]
    """The newest migration of each service's schema."""
    rows: Mapping[str, int]
    """How many rows the main tables had in the snapshot."""
    objects: int
    object_bytes: int
    files: Mapping[str, BackupFile]

    def write(self, folder: Path) -> None:
        """Make the folder a backup; only its owner can read this file, as all others of it."""
        write_secret(folder / MANIFEST, json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n")


def read_backup(folder: Path) -> Manifest:
    """Read the manifest of a backup, and hold every file against it.

    Raises:
        StackError: the folder is no backup, is damaged, or is of a newer format than this code knows.
    """
    manifest = _read_manifest(folder)
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise StackError(f"{folder} is damaged: {name} is missing")
        if BackupFile.of(path) != expected:
            raise StackError(f"{folder} is damaged: {name} is not the file that was backed up")
    return manifest


def _read_manifest(folder: Path) -> Manifest:
    try:
        content = json.loads((folder / MANIFEST).read_text())
        found = int(content["format"])
    except FileNotFoundError as error:
        raise StackError(f"{folder} is not a backup: it has no {MANIFEST}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StackError(f"{folder} is not a backup: its {MANIFEST} cannot be read") from error
    if found != FORMAT:
        raise StackError(
            f"{folder} is a backup of format {found}, and this code knows {FORMAT}:"
            " restore it with the release that made it, or a later one"
        )
    return _parsed(folder, content)


def _parsed(folder: Path, content: dict[str, Any]) -> Manifest:
    try:
        files = {name: BackupFile(**file) for name, file in content["files"].items()}
        if not {DATABASE, INVENTORY} <= files.keys() <= {DATABASE, INVENTORY, OBJECTS, FACEBOOK}:
            raise ValueError("other files than a backup has")
        fields = {name: value for name, value in content.items() if name != "format"}
        return Manifest(**{**fields, "files": files})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StackError(f"{folder} is damaged: its {MANIFEST} does not say what a backup holds") from error
