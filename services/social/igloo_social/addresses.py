"""Adapter: turns what is stored of images into what phones can fetch, with signed addresses."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from igloo_common.signatures import rounded_expiry, sign_path

if TYPE_CHECKING:
    from datetime import datetime

    from igloo_social.settings import Settings

REMEMBERED_POSTS = 2_048
"""About 10 MB at three images a post. A popular post is presented to many; nothing is signed twice within the
span in which its addresses are the same anyway."""


class RenditionAddresses:
    """Signs the addresses of images' renditions."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._present = lru_cache(maxsize=REMEMBERED_POSTS)(self._signed)

    def images_json(self, images: str, *, now: datetime) -> orjson.Fragment:
        """Present a post's stored images with addresses that work from now on for the configured time.

        Remembered by the stored text itself, so that no change of an image can show an old state.
        """
        expires_at = rounded_expiry(
            now,
            ttl_seconds=self._settings.address_ttl_seconds,
            round_seconds=self._settings.address_round_seconds,
        )
        return self._present(images, expires_at)

    def _signed(self, images: str, expires_at: int) -> orjson.Fragment:
        described: list[dict[str, Any]] = orjson.loads(images)
        for image in described:
            # Stored before there were focal points and animations: absent is none.
            image.setdefault("focal_point", None)
            for name, rendition in image["renditions"].items():
                version = rendition.pop("version", 1)
                rendition.setdefault("is_animated", False)
                rendition["url"] = self._address(image["media_id"], _versioned(name, version), expires_at)
        return orjson.Fragment(orjson.dumps(described))

    def _address(self, media_id: str, name: str, expires_at: int) -> str:
        common = self._settings.common
        path = sign_path(f"/media/{media_id}/{name}", expires_at=expires_at, keys=common.address_signing_keys)
        return f"{common.public_url}{path}"


def _versioned(name: str, version: int) -> str:
    """Name a rendition as its address does: bytes that were published once never change under theirs."""
    return name if version == 1 else f"{name}_{version}"
