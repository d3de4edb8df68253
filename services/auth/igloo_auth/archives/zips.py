"""Writes an export's archive: the parts as they come from S3, piece by piece, into a zip file on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from igloo_auth.archives.leaflets import index_page, read_me
from igloo_auth.policies.archives import safe_path, unused_path
from igloo_common.object_store import ObjectStore, StoredObject

README: Final = "README.txt"
INDEX: Final = "index.html"
# Photos are compressed already: another try costs time and saves nothing.
_COMPRESSED: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic", ".avif", ".zip"})
_READABLE_FILE: Final = 0o100644 << 16


@dataclass(frozen=True, kw_only=True)
class ArchivedFile:
    """One file of an archive, and the object that it comes from."""

    key: str
    path: str
    size_bytes: int


def archived_files(objects: Sequence[StoredObject], *, prefix: str) -> list[ArchivedFile]:
    """Say under which path each part goes into the archive; what cannot be named is left out."""
    taken = {README.casefold(), INDEX.casefold()}
    files = []
    for found in objects:
        path = safe_path(found.key.removeprefix(prefix))
        if path is not None:
            files.append(
                ArchivedFile(key=found.key, path=unused_path(path, taken=taken), size_bytes=found.size_bytes)
            )
    return files


def write_archive(
    target: Path,
    *,
    store: ObjectStore,
    files: Sequence[ArchivedFile],
    made_at: datetime,
    after_each: Callable[[], None],
) -> None:
    """Write the archive to a file on disk; `after_each` is called often, and may end the work by raising.

    Raises:
        StorageUnavailable, ObjectMissing: When a part cannot be read.
    """
    with ZipFile(target, "w", compression=ZIP_DEFLATED) as archive:
        listed = [(file.path, file.size_bytes) for file in files]
        archive.writestr(_entry(README, made_at), read_me(made_at=made_at))
        archive.writestr(_entry(INDEX, made_at), index_page(listed, made_at=made_at))
        for file in files:
            _copy(store.chunks(file.key), archive, _entry(file.path, made_at), size_bytes=file.size_bytes)
            after_each()


def _copy(chunks: Iterator[bytes], archive: ZipFile, entry: ZipInfo, *, size_bytes: int) -> None:
    entry.file_size = size_bytes
    with archive.open(entry, "w") as written:
        for chunk in chunks:
            written.write(chunk)


def _entry(path: str, made_at: datetime) -> ZipInfo:
    entry = ZipInfo(path, made_at.timetuple()[:6])
    entry.external_attr = _READABLE_FILE
    stored = PurePosixPath(path).suffix.lower() in _COMPRESSED
    entry.compress_type = ZIP_STORED if stored else ZIP_DEFLATED
    return entry
