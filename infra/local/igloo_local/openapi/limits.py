"""What igloo accepts at most, gathered from where each service enforces it."""

from __future__ import annotations

from igloo_common.pagination import MAX_LIMIT
from igloo_media.policies import uploads
from igloo_social.models import posts
from igloo_social.policies import names, usernames
from igloo_social.schemas.profiles import BIO_LENGTH


def limits() -> dict[str, object]:
    """Return the limits as GET /v1/limits tells them."""
    return {
        "pages": {"entries": MAX_LIMIT},
        "posts": {"caption_characters": posts.MAX_CAPTION_LENGTH, "images": posts.MAX_IMAGES},
        "profiles": {
            "bio_characters": BIO_LENGTH,
            "display_name_characters": names.MAXIMUM_LENGTH,
            "username_characters": usernames.MAXIMUM_LENGTH,
        },
        "uploads": {
            "content_types": list(uploads.CONTENT_TYPES),
            "file_bytes": uploads.MAX_FILE_BYTES,
            "files": uploads.MAX_FILES,
            "target_seconds": int(uploads.TARGET_LIFETIME.total_seconds()),
        },
    }
