"""Holds the bucket against the rows of photos: what is missing, and what nobody speaks of.

Both are walked through once, side by side in the order of the photos' ids, and never held whole. What seems
wrong is looked at again by itself, as both change meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Final, Literal, NamedTuple, TypeVar
from uuid import UUID

from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_media.operations.lost_photos import give_up_lost
from igloo_media.operations.removals import schedule_removals
from igloo_media.policies.objects import ORIGINALS, RENDITIONS_FOLDER
from igloo_media.queries.stored_photos import (
    StoredPhoto,
    keys_on_their_way_out,
    ready_photos,
    stored_photos,
)
from igloo_media.storage import Storage

STRAYS_KEPT_FOR: Final = timedelta(days=1)
"""How long an object of no photo stays after it was found: somebody may want to look what it is."""
_AT_ONCE: Final = 100
T = TypeVar("T")


class BucketEmpty(Exception):
    """There are photos, and not one rendition in the bucket: it is the wrong one, or not filled yet."""


@dataclass(slots=True)
class Findings:
    """How many of each were found."""

    photos: int = 0
    lost: int = 0
    given_up: int = 0
    strays: int = 0


class _Stored(NamedTuple):
    """The objects of one folder, whose name is a photo's id unless somebody else wrote there."""

    name: str
    keys: frozenset[str]


def reconcile(
    storage: Storage, *, only_looks: bool, report: Callable[[Literal["missing", "stray"], str], None]
) -> Findings:
    """Report every object that is missing or nobody's; give up the photos of the one, remove the other later.

    Raises:
        BucketEmpty: nothing at all is there.
        StorageUnavailable: S3 does not answer.
    """
    findings = Findings()
    if next(storage.listing(RENDITIONS_FOLDER), None) is None and next(ready_photos(), None) is not None:
        raise BucketEmpty
    strays: list[str] = []
    for photo, stored in _side_by_side(ready_photos(), _folders(storage)):
        findings.photos += photo is not None
        if photo is not None and not (stored and set(photo.keys) <= stored.keys):
            _settle_suspect(storage, photo.media_id, findings, only_looks=only_looks, report=report)
        strays += [key for key in stored.keys if photo is None or key not in photo.keys] if stored else []
        if len(strays) >= _AT_ONCE:
            _settle_strays(strays, findings, only_looks=only_looks, report=report)
            strays.clear()
    _settle_strays(strays, findings, only_looks=only_looks, report=report)
    for keys in _batches(each.key for each in storage.listing(ORIGINALS)):
        _settle_strays(keys, findings, only_looks=only_looks, report=report)
    return findings


def _settle_suspect(
    storage: Storage,
    media_id: UUID,
    findings: Findings,
    *,
    only_looks: bool,
    report: Callable[[Literal["missing", "stray"], str], None],
) -> None:
    with reading() as reader:
        photo = stored_photos(reader, [media_id]).get(media_id)
    missing = [key for key in photo.keys if storage.size_of(key) is None] if photo else []
    if photo is None or not missing:
        return
    given_up = False
    if not only_looks:
        with transaction() as session:
            given_up = give_up_lost(session, photo, now=utc_now())
        if not given_up:
            return
    for key in missing:
        report("missing", key)
    findings.lost += 1
    findings.given_up += given_up


def _settle_strays(
    suspects: Sequence[str],
    findings: Findings,
    *,
    only_looks: bool,
    report: Callable[[Literal["missing", "stray"], str], None],
) -> None:
    """Keep what belongs to a photo after all, or is on its way out; the others have a day left."""
    if not suspects:
        return
    media_ids = {key: _media_id_of(key) for key in suspects}
    with reading() as reader:
        photos = stored_photos(reader, {each for each in media_ids.values() if each is not None})
        leaving = keys_on_their_way_out(reader, suspects)
    strays = sorted(
        key
        for key, media_id in media_ids.items()
        if key not in leaving and not _belongs(key, photos.get(media_id) if media_id else None)
    )
    if strays and not only_looks:
        with transaction() as session:
            schedule_removals(session, keys=strays, due_at=utc_now() + STRAYS_KEPT_FOR)
    for key in strays:
        report("stray", key)
    findings.strays += len(strays)


def _belongs(key: str, photo: StoredPhoto | None) -> bool:
    if photo is None:
        return False
    return photo.is_unfinished if key.startswith(ORIGINALS) else photo.may_have(key)


def _media_id_of(key: str) -> UUID | None:
    """Read it from `originals/<owner>/<id>` or `renditions/<id>/<name>`."""
    parts = key.split("/")
    with suppress(ValueError, IndexError):
        return UUID(parts[2] if key.startswith(ORIGINALS) else parts[1])
    return None


def _folders(storage: Storage) -> Iterator[_Stored]:
    keys = (each.key for each in storage.listing(RENDITIONS_FOLDER))
    for name, group in groupby(keys, key=lambda key: key.split("/")[1]):
        yield _Stored(name, frozenset(group))


def _side_by_side(
    photos: Iterator[StoredPhoto], folders: Iterator[_Stored]
) -> Iterator[tuple[StoredPhoto | None, _Stored | None]]:
    """Pair photos and folders of the same id; both come in the order of the ids' texts."""
    photo, folder = next(photos, None), next(folders, None)
    while photo is not None or folder is not None:
        name = None if photo is None else str(photo.media_id)
        if folder is None or (name is not None and name < folder.name):
            yield photo, None
            photo = next(photos, None)
        elif name is None or folder.name < name:
            yield None, folder
            folder = next(folders, None)
        else:
            yield photo, folder
            photo, folder = next(photos, None), next(folders, None)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    yield batch
