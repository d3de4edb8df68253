"""What the media service can be told from outside, read once at start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from igloo_common.object_store import StorageSettings
from igloo_common.settings import CommonSettings, Environment

# Between the services: no TLS, no path, no credentials.
PURGE_URL = re.compile(r"http://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?")
HOUR_SECONDS = 3600
MEBIBYTE = 1024 * 1024
MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class ImageSettings:
    """What processing one photo may use."""

    memory_bytes: int
    cpu_seconds: int
    wall_seconds: int
    threads: int
    """Threads of libvips within one photo."""
    lanes: int
    """Photos in process at once in one worker."""


@dataclass(frozen=True, kw_only=True)
class PersonLimits:
    """How much one person may send and keep."""

    uploads_per_hour: int
    """Files asked for, of whatever becomes of them."""
    open_uploads: int
    """Uploads that are neither photos yet nor given up."""
    stored_bytes: int
    """Of renditions, and of files on their way."""


@dataclass(frozen=True, kw_only=True)
class CacheSettings:
    """What keeps photos on their way to phones, and must be told when one is not to be shown any more."""

    gateway_urls: tuple[str, ...]
    """Where gateways take purges; a name that leads to several of them stands for all."""
    cloudfront_distribution_id: str | None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The media service's configuration."""

    common: CommonSettings
    storage: StorageSettings
    images: ImageSettings
    person: PersonLimits
    caches: CacheSettings
    address_ttl_seconds: int
    """How long a signed rendition address works at least."""
    address_round_seconds: int
    """Addresses signed within this span are the same text, so that phones and proxies can cache them."""

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read every setting.

        Raises:
            ConfigurationError: with every problem at once, not the first alone.
        """
        env = Environment.load(environ)
        settings = cls(
            common=CommonSettings.read(env, service="media"),
            storage=StorageSettings.read(env),
            images=_images(env),
            person=_person(env),
            caches=_caches(env),
            address_ttl_seconds=env.integer(
                "IGLOO_ADDRESS_TTL_SECONDS",
                default=24 * HOUR_SECONDS,
                minimum=60,
                maximum=7 * 24 * HOUR_SECONDS,
            ),
            address_round_seconds=env.integer(
                "IGLOO_ADDRESS_ROUND_SECONDS", default=HOUR_SECONDS, minimum=1, maximum=24 * HOUR_SECONDS
            ),
        )
        env.finish()
        return settings


def _images(env: Environment) -> ImageSettings:
    return ImageSettings(
        memory_bytes=MEBIBYTE
        * env.integer("IGLOO_IMAGE_MEMORY_MB", default=1536, minimum=256, maximum=65_536),
        cpu_seconds=env.integer("IGLOO_IMAGE_CPU_SECONDS", default=20, minimum=1, maximum=60),
        wall_seconds=env.integer("IGLOO_IMAGE_WALL_SECONDS", default=30, minimum=1, maximum=60),
        threads=env.integer("IGLOO_IMAGE_THREADS", default=1, minimum=1, maximum=16),
        lanes=env.integer("IGLOO_IMAGE_LANES", default=1, minimum=1, maximum=16),
    )


def _person(env: Environment) -> PersonLimits:
    # As many as one call may ask for, at the least: no call is ever too large to be let through.
    return PersonLimits(
        uploads_per_hour=env.integer("IGLOO_UPLOADS_PER_HOUR", default=300, minimum=10, maximum=1_000_000),
        open_uploads=env.integer("IGLOO_OPEN_UPLOADS", default=100, minimum=10, maximum=100_000),
        stored_bytes=MEGABYTE
        * env.integer("IGLOO_STORED_MB_PER_PERSON", default=20_000, minimum=1, maximum=100_000_000),
    )


def _caches(env: Environment) -> CacheSettings:
    name = "IGLOO_GATEWAY_PURGE_URLS"
    urls = [url.strip().rstrip("/") for url in (env.optional_text(name) or "").split(",") if url.strip()]
    for url in urls:
        if not PURGE_URL.fullmatch(url):
            env.problem(name, "must be addresses like http://gateway:8081, with commas between them")
    return CacheSettings(
        gateway_urls=tuple(urls),
        cloudfront_distribution_id=env.optional_text("IGLOO_CLOUDFRONT_DISTRIBUTION_ID"),
    )
