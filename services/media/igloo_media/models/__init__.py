"""The tables of the media service, a noun a file; importing the package knows them all."""

from igloo_media.models.account_tasks import AccountTask, TaskKind
from igloo_media.models.items import MediaItem, MediaState
from igloo_media.models.removals import ObjectRemoval
from igloo_media.models.renditions import Rendition

__all__ = ["AccountTask", "MediaItem", "MediaState", "ObjectRemoval", "Rendition", "TaskKind"]
