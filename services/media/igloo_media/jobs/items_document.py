"""The document that tells a person everything that is known here of their photos."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row

from igloo_common.database import reading
from igloo_common.object_store import ObjectStore
from igloo_media.models import MediaState
from igloo_media.operations.account_tasks import Task
from igloo_media.policies.items import upload_state
from igloo_media.policies.objects import exported_photos
from igloo_media.queries.exports import find_renditions_of, list_held
from igloo_media.queries.usage import find_usage
from igloo_media.schemas.focal_points import present_focal_point

READ_AT_ONCE = 500


def write_items(
    path: Path, storage: ObjectStore, task: Task, *, copy: Callable[[UUID], bool], now: datetime
) -> None:
    """Write all items as one JSON document, a page of rows in memory at a time.

    Which photos have a file is read from S3, where they were copied to: the document promises none that is
    not there. `copy` copies a photo that became ready only after the copying had passed it, and tells whether
    it could.
    """
    copies = _copies(storage, task)
    copied = next(copies, None)
    with path.open("wb") as file:
        head = orjson.dumps({"account_id": task.account_id, "collected_at": now, **_counted(task)}).decode()
        file.write(f'{head[:-1]},"items":['.encode())
        separator = b"\n"
        for item, sizes in _held(task):
            # Rows and listing are in the same order, so one walk along both is enough.
            while copied is not None and copied < item.id:
                copied = next(copies, None)
            has_file = copied == item.id or (item.state == MediaState.READY and copy(item.id))
            file.write(separator + orjson.dumps(_shown(item, sizes, has_file=has_file), option=_PRETTY))
            separator = b",\n"
        file.write(b"\n]}\n")


_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z


def _held(task: Task) -> Iterator[tuple[Row[Any], list[Row[Any]]]]:
    after = None
    while True:
        with reading() as reader:
            items = list_held(reader, task.account_id, after=after, limit=READ_AT_ONCE)
            sizes = find_renditions_of(reader, [item.id for item in items])
        yield from ((item, sizes[item.id]) for item in items)
        if len(items) < READ_AT_ONCE:
            return
        after = items[-1].id


def _counted(task: Task) -> dict[str, object]:
    with reading() as reader:
        usage = find_usage(reader, task.account_id)
    return {"ready_photos": usage.photos, "stored_bytes": usage.stored_bytes}


def _copies(storage: ObjectStore, task: Task) -> Iterator[UUID]:
    return (UUID(Path(found.key).stem) for found in storage.listing(exported_photos(task.parts_prefix)))


def _shown(item: Row[Any], sizes: list[Row[Any]], *, has_file: bool) -> dict[str, object]:
    held = item._asdict()
    focal_x, focal_y, receipt = (held.pop(name) for name in ("focal_x", "focal_y", "receipt"))
    return {
        **held,
        "state": upload_state(item.state),
        "sha256": _hexadecimal(item.sha256),
        "content_sha256": _hexadecimal(item.content_sha256),
        "focal_point": present_focal_point(focal_x, focal_y),
        "privacy_receipt": receipt,
        "renditions": {size.name: _size(size) for size in sizes},
        "photo": f"photos/{item.id}.webp" if has_file else None,
        "photo_missing": item.state == MediaState.READY and not has_file,
    }


def _size(size: Row[Any]) -> dict[str, object]:
    return {name: value for name, value in size._asdict().items() if name not in ("media_id", "name")}


def _hexadecimal(digest: bytes | None) -> str | None:
    return digest.hex() if digest else None
