"""Photos: those of posts are ready and can be fetched, and each object in the bucket has its row."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, LiteralString

import requests
from PIL import Image, UnidentifiedImageError

from chaos.model.facts import Violation
from chaos.model.ground import Ground, broken

SAMPLE: Final = 40
_ITEMS: Final[LiteralString] = """
SELECT i.id::text, i.owner_id::text, i.state, array_remove(array_agg(
    CASE WHEN r.version = 1 THEN r.name ELSE r.name || '_' || r.version END), NULL) AS renditions
FROM media.media_items AS i LEFT JOIN media.renditions AS r ON r.media_id = i.id GROUP BY i.id
"""
_POSTED: Final[LiteralString] = """
SELECT p.id::text AS post_id, p.author_id::text, p.state, m.media_id::text, i.state AS media_state
FROM social.posts AS p JOIN social.post_images AS m ON m.post_id = p.id
LEFT JOIN media.media_items AS i ON i.id = m.media_id WHERE p.deleted_at IS NULL
"""
_ORDER: Final[LiteralString] = """
SELECT post_id::text, array_agg(media_id::text ORDER BY position) AS media_ids FROM social.post_images
GROUP BY 1
"""
_REMOVALS: Final[LiteralString] = "SELECT object_key FROM media.object_removals"
# Uploads under way, and those that nobody completed, keep their original until the sweeper comes.
_WITH_ORIGINAL: Final = frozenset({"pending", "uploaded", "processing"})


def photos_differ(ground: Ground) -> Sequence[Violation]:
    """Check every photo's row, every object's, and fetch some photos as their owners' phones do."""
    return [
        *broken("a photo is there", [*_uploaded(ground)]),
        *broken("photos of a post are ready", [*_posted(ground)]),
        *broken("photos of a post are in its author's order", [*_ordered(ground)]),
        *broken("photos can be fetched", [*_fetched(ground)]),
        *broken("each object has its row, each row its objects", [*_objects(ground)]),
    ]


def _uploaded(ground: Ground) -> Iterator[str]:
    """Check all whose upload was acknowledged as complete, but for those that may have gone with a post."""
    stored = {row["id"]: row for row in ground.rows(_ITEMS)}
    gone = {media_id for post in ground.ledger.posts if post.removals for media_id in post.media_ids}
    for media_id, owner_id in ground.ledger.uploads.items():
        row = stored.get(media_id)
        if media_id in gone:
            continue
        if row is None:
            yield f"photo {media_id} of {owner_id} was acknowledged and is lost"
        elif row["owner_id"] != owner_id:
            yield f"photo {media_id} of {owner_id} is there as somebody else's"
        elif row["state"] != "ready":
            yield f"photo {media_id} of {owner_id} is {row['state']}"


def _ordered(ground: Ground) -> Iterator[str]:
    stored = {row["post_id"]: row["media_ids"] for row in ground.rows(_ORDER)}
    for post in ground.ledger.posts:
        if post.id is not None and not post.may_be_missing():
            found = stored.get(post.id, [])
            if found != list(post.media_ids):
                yield f"post {post.id} of {post.author_id} has photos {found} instead of {post.media_ids}"


def _posted(ground: Ground) -> Iterator[str]:
    for row in ground.rows(_POSTED):
        if row["state"] == "published" and row["media_state"] != "ready":
            yield f"photo {row['media_id']} of post {row['post_id']} is {row['media_state']}"
        if row["state"] == "processing":
            yield f"post {row['post_id']} of {row['author_id']} waits for photo {row['media_id']} for ever"
        if row["state"] == "failed":
            yield f"post {row['post_id']} of {row['author_id']} failed over photo {row['media_id']}"


def _fetched(ground: Ground) -> Iterator[str]:
    posts: dict[str, list[str]] = defaultdict(list)
    for row in ground.rows(_POSTED):
        if row["state"] == "published":
            posts[row["author_id"]].append(row["post_id"])
    chosen = [(author, post) for author, ids in posts.items() for post in sorted(set(ids))]
    for author, post_id in chosen[:: max(1, len(chosen) // SAMPLE)]:
        phone = ground.phones.get(author)
        if phone is not None:
            for image in phone.call("GET", f"/v1/posts/{post_id}")["images"]:
                for name, rendition in image["renditions"].items():
                    yield from _unlike_an_image(f"{name} of post {post_id}", str(rendition["url"]))


def _unlike_an_image(what: str, url: str) -> Iterator[str]:
    response = requests.get(url, timeout=15)
    if not response.ok:
        yield f"{what} answers {response.status_code}"
        return
    try:
        Image.open(io.BytesIO(response.content)).verify()
    except UnidentifiedImageError:
        yield f"{what} is no image"


def _objects(ground: Ground) -> Iterator[str]:
    keys = set(ground.places.objects())
    leaving = {row["object_key"] for row in ground.rows(_REMOVALS)}
    explained, needed = set[str](), set[str]()
    for row in ground.rows(_ITEMS):
        if row["state"] in _WITH_ORIGINAL:
            explained.add(f"originals/{row['owner_id']}/{row['id']}")
        if row["state"] == "ready":
            needed |= {f"renditions/{row['id']}/{name}.webp" for name in row["renditions"]}
            if len(row["renditions"]) != _RENDITIONS:
                yield f"photo {row['id']} is ready with {row['renditions']}"
    for key in sorted(needed - keys):
        yield f"object {key} is missing"
    for key in sorted(keys - needed - explained - leaving):
        if not key.startswith("exports/"):
            yield f"object {key} belongs to nothing"


_RENDITIONS: Final = 3
