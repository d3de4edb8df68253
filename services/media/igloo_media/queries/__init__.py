"""What the media service reads, a noun a file."""

from igloo_media.queries import exports, items, uploads

__all__ = ["exports", "items", "uploads"]
