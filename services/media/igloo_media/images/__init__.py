"""Photos in, renditions out; hostile bytes are decoded in a child process only."""

from igloo_media.images.outcome import (
    ImageRejected,
    Photo,
    ProcessingCrashed,
    ProcessingTimeout,
    RenditionFile,
)
from igloo_media.images.renderer import Renderer

__all__ = ["ImageRejected", "Photo", "ProcessingCrashed", "ProcessingTimeout", "Renderer", "RenditionFile"]
