"""What changes in the media service, a noun a file; every function takes the caller's transaction."""

from igloo_media.operations import (
    abandonments,
    account_tasks,
    collection,
    completions,
    erasures,
    exports,
    items,
    parts,
    processing,
    removals,
    uploads,
    usage,
)

__all__ = [
    "abandonments",
    "account_tasks",
    "collection",
    "completions",
    "erasures",
    "exports",
    "items",
    "parts",
    "processing",
    "removals",
    "uploads",
    "usage",
]
