"""Photos whose renditions are not in the bucket any more."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from igloo_media.models import MediaItem, MediaState
from igloo_media.operations.items import announce_failure
from igloo_media.operations.purges import withdraw_paths
from igloo_media.operations.removals import schedule_removals
from igloo_media.operations.thumb_requests import drop_thumb_tasks
from igloo_media.operations.usage import discount_photo
from igloo_media.policies.objects import rendition_keys, rendition_paths
from igloo_media.queries.stored_photos import StoredPhoto, stored_photos

LOST_CODE: Final = "media_lost"
LOST_DETAIL: Final = "The photo's files were lost: please send it again."


def give_up_lost(session: Session, photo: StoredPhoto, *, now: datetime) -> bool:
    """Take a ready photo as failed whose renditions were found missing, and tell whoever shows it.

    False when it is not what it was when they were looked for: deleted meanwhile, or with a new thumbnail.
    Its post lets go of it when it hears, so that it is collected in a day, as everything that nobody shows.
    """
    item = session.get(MediaItem, photo.media_id, with_for_update=True, populate_existing=True)
    if item is None or stored_photos(session, [photo.media_id])[photo.media_id] != photo:
        return False
    discount_photo(session, owner_id=item.owner_id, media_id=item.id)
    drop_thumb_tasks(session, [item.id])
    schedule_removals(session, keys=rendition_keys(item.id, thumb_version=item.thumb_version), due_at=now)
    withdraw_paths(session, paths=rendition_paths(item.id, thumb_version=item.thumb_version), now=now)
    item.state, item.finished_at, item.post_id = MediaState.FAILED, now, None
    item.failure_code, item.failure_detail = LOST_CODE, LOST_DETAIL
    announce_failure(session, item, code=LOST_CODE, detail=LOST_DETAIL, now=now)
    session.flush()
    return True
