"""Which objects the rows of photos speak of: what the bucket is held against."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from igloo_common.database import Reader, reading
from igloo_media.models import MediaItem, MediaState, ObjectRemoval, Rendition
from igloo_media.policies.items import THUMB
from igloo_media.policies.objects import rendition_key

PAGE = 500
_FIRST = UUID(int=0)
_UNFINISHED = frozenset({MediaState.PENDING, MediaState.UPLOADED, MediaState.PROCESSING})


@dataclass(frozen=True, kw_only=True)
class StoredPhoto:
    """A photo, and its renditions' versions by their names."""

    media_id: UUID
    state: str
    thumb_version: int
    versions: Mapping[str, int]

    @property
    def is_unfinished(self) -> bool:
        """Whether its original is needed, and its renditions may be on their way."""
        return self.state in _UNFINISHED

    @property
    def keys(self) -> list[str]:
        """The objects that must be there."""
        if self.state != MediaState.READY:
            return []
        return [rendition_key(self.media_id, name, version) for name, version in self.versions.items()]

    def may_have(self, key: str) -> bool:
        """Tell whether an object of its folder is one of its own, there already or on its way."""
        if self.is_unfinished or key in self.keys:
            return True
        if self.state != MediaState.READY:
            return False
        begun = range(self.versions.get(THUMB, 0) + 1, self.thumb_version + 1)
        return any(key == rendition_key(self.media_id, THUMB, version) for version in begun)


def ready_photos() -> Iterator[StoredPhoto]:
    """Read all that are ready, page by page, in the order of their ids."""
    after = _FIRST
    while True:
        with reading() as reader:
            ids = _next_ready(reader, after)
            photos = stored_photos(reader, ids)
        yield from (photos[media_id] for media_id in ids if media_id in photos)
        if len(ids) < PAGE:
            return
        after = ids[-1]


def stored_photos(reader: Reader, media_ids: Collection[UUID]) -> dict[UUID, StoredPhoto]:
    """Read some photos, whatever their state; one that is not there is missing."""
    versions = func.jsonb_object_agg(Rendition.name, Rendition.version).filter(Rendition.name.is_not(None))
    rows = reader.execute(
        select(MediaItem.id, MediaItem.state, MediaItem.thumb_version, versions)
        .outerjoin(Rendition, Rendition.media_id == MediaItem.id)
        .where(MediaItem.id.in_(media_ids))
        .group_by(MediaItem.id)
    )
    return {
        media_id: StoredPhoto(media_id=media_id, state=state, thumb_version=thumb, versions=found or {})
        for media_id, state, thumb, found in rows
    }


def keys_on_their_way_out(reader: Reader, keys: Sequence[str]) -> set[str]:
    """Return which of some objects are to be removed anyway."""
    return set(
        reader.execute(select(ObjectRemoval.object_key).where(ObjectRemoval.object_key.in_(keys))).scalars()
    )


def _next_ready(reader: Reader, after: UUID) -> list[UUID]:
    ready = select(MediaItem.id).where(MediaItem.state == MediaState.READY, MediaItem.id > after)
    return list(reader.execute(ready.order_by(MediaItem.id).limit(PAGE)).scalars())
