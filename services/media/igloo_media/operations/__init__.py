"""What changes in the media service, a noun a file; every function takes the caller's transaction."""

from igloo_media.operations import (
    account_tasks,
    collection,
    erasures,
    exports,
    items,
    processing,
    removals,
    uploads,
    usage,
)

__all__ = [
    "account_tasks",
    "collection",
    "erasures",
    "exports",
    "items",
    "processing",
    "removals",
    "uploads",
    "usage",
]
