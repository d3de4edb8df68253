"""What changes in the media service, a noun a file; every function takes the caller's transaction."""

from igloo_media.operations import collection, items, processing, removals, uploads

__all__ = ["collection", "items", "processing", "removals", "uploads"]
