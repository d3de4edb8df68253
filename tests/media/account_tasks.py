"""Accounts that leave and ask for their copy, for the tests of media's part in it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import insert, select, text, update

from igloo_common.clock import utc_now
from igloo_common.consumers import Delivery, Handler
from igloo_common.database import reading, transaction
from igloo_common.ids import new_id
from igloo_common.object_store import StorageSettings, StoredObject
from igloo_media.consumers import AccountDeleted, ExportRequested, collect_export, erase_deleted_account
from igloo_media.jobs.account_tasks import AccountTaskLane
from igloo_media.models import AccountTask, MediaItem, MediaState, Rendition
from igloo_media.policies.items import RENDITIONS
from igloo_media.policies.objects import originals_prefix, rendition_key, renditions_prefix
from igloo_media.policies.uploads import TARGET_LIFETIME
from igloo_media.storage import Storage

T = TypeVar("T")


def deliver(handler: Handler[T], data: T) -> None:
    """Hand an event over as the inbox does."""
    now = utc_now()
    delivery = Delivery(id=new_id(), type="test", key="test", sequence=1, time=now, data=data)
    with transaction() as session:
        handler(session, delivery, now)


def leave(account_id: UUID) -> UUID:
    """Announce that an account is deleted; return the deletion's id."""
    deletion = AccountDeleted(account_id=account_id, deletion_id=new_id())
    deliver(erase_deleted_account, deletion)
    return deletion.deletion_id


def ask_for_export(account_id: UUID) -> str:
    """Announce that a person wants a copy; return where media's part of it goes."""
    export_id = new_id()
    prefix = f"exports/{export_id}/parts/"
    deliver(collect_export, ExportRequested(export_id=export_id, account_id=account_id, parts_prefix=prefix))
    return f"{prefix}media/"


def work(lane: AccountTaskLane) -> int:
    """Let the lane work until nothing is due; return how many turns it took."""
    turns = 0
    while lane.step():
        turns += 1
        assert turns < 1000, "the lane comes to an end"
    return turns


def tasks() -> list[Any]:
    """Return the tasks, the oldest first."""
    with reading() as reader:
        return list(reader.execute(select(AccountTask.__table__).order_by(AccountTask.id)))


def make_due() -> None:
    """Let the pauses and leases of all tasks be over."""
    with transaction() as session:
        session.execute(update(AccountTask).where(AccountTask.due_at.is_not(None)).values(due_at=utc_now()))


def rows_of(owner_id: UUID) -> int:
    """Count the rows about a person's photos."""
    with reading() as reader:
        query = text("SELECT count(*) FROM media_items WHERE owner_id = :owner_id")
        count: int = reader.execute(query, {"owner_id": owner_id}).scalar_one()
        return count


def fill(storage: Storage, owner_id: UUID, count: int) -> list[UUID]:
    """Give a person ready photos, each with three small objects, without making them from uploads."""
    now = utc_now()
    media_ids = [new_id() for _ in range(count)]
    item = {
        "owner_id": owner_id,
        "state": MediaState.READY,
        "content_type": "image/jpeg",
        "size_bytes": 1000,
        "alt_text": "A ptarmigan in the snow",
        "created_at": now,
        "expires_at": now + TARGET_LIFETIME,
        "uploaded_at": now,
        "finished_at": now,
        "width": 64,
        "height": 48,
        "blurhash": "x",
        "dominant_color": "#ffffff",
    }
    size = {"width": 64, "height": 48, "content_type": "image/webp", "size_bytes": 40}
    with transaction() as session:
        session.execute(insert(MediaItem), [{**item, "id": media_id} for media_id in media_ids])
        session.execute(
            insert(Rendition),
            [{**size, "media_id": each, "name": name} for each in media_ids for name in RENDITIONS],
        )
    keys = [rendition_key(media_id, name) for media_id in media_ids for name in RENDITIONS]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: storage.put(key, key.encode(), content_type="image/webp"), keys))
    return media_ids


def objects_of(storage: Storage, owner_id: UUID, media_ids: Sequence[UUID]) -> list[str]:
    """List what S3 holds of a person."""
    prefixes = [originals_prefix(owner_id), *(renditions_prefix(media_id) for media_id in media_ids)]
    return [found.key for prefix in prefixes for found in storage.listing(prefix)]


class Killed(BaseException):
    """What a worker does not survive."""


@dataclass
class Fuse:
    """Counts calls of S3, and kills the worker at one of them: before it is made, or right after."""

    calls_left: int
    after: bool
    burnt: bool = field(default=False)

    def around(self, call: Callable[[], T]) -> T:
        """Make the call, unless it is the last."""
        self.calls_left -= 1
        self.burnt = self.calls_left < 0
        if self.burnt and not self.after:
            raise Killed
        answer = call()
        if self.burnt:
            raise Killed
        return answer


class DyingStorage(Storage):
    """The bucket, for a worker that is killed at a call of S3."""

    def __init__(self, settings: StorageSettings, fuse: Fuse) -> None:
        super().__init__(settings)
        self._fuse = fuse

    def copy(self, source: str, target: str) -> None:
        """Copy, or die."""
        self._fuse.around(lambda: super(DyingStorage, self).copy(source, target))

    def remove(self, keys: Sequence[str]) -> None:
        """Remove, or die."""
        self._fuse.around(lambda: super(DyingStorage, self).remove(keys))

    def listing(self, prefix: str) -> Iterator[StoredObject]:
        """List, or die."""
        yield from self._fuse.around(lambda: list(super(DyingStorage, self).listing(prefix)))

    def put_file(self, key: str, path: Any, *, content_type: str) -> None:  # noqa: ANN401 - a Path
        """Put, or die."""
        self._fuse.around(lambda: super(DyingStorage, self).put_file(key, path, content_type=content_type))


def deaths() -> Generator[Fuse]:
    """Give fuses that kill at the first call, the second, …, until a worker gets through alive."""
    for after in (False, True):
        for calls in range(100):
            fuse = Fuse(calls_left=calls, after=after)
            yield fuse
            if not fuse.burnt:
                break
        assert calls > 0, "the worker called S3 at all"
