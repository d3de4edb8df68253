"""What the media service reads, a noun a file."""

from igloo_media.queries import items, uploads

__all__ = ["items", "uploads"]
