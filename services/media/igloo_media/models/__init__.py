"""The tables of the media service, a noun a file; importing the package knows them all."""

from igloo_media.models.abandoned_parts import AbandonedParts
from igloo_media.models.account_tasks import AccountTask, TaskKind
from igloo_media.models.items import MediaItem, MediaState
from igloo_media.models.purges import CachePurge
from igloo_media.models.removals import ObjectRemoval
from igloo_media.models.renditions import Rendition
from igloo_media.models.takedowns import Takedown
from igloo_media.models.thumb_tasks import ThumbTask
from igloo_media.models.usage import OwnerUsage

__all__ = [
    "AbandonedParts",
    "AccountTask",
    "CachePurge",
    "MediaItem",
    "MediaState",
    "ObjectRemoval",
    "OwnerUsage",
    "Rendition",
    "Takedown",
    "TaskKind",
    "ThumbTask",
]
