"""The caches before the service, each told to forget photos: gateways of our own, and CloudFront."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Collection, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from igloo_media.policies.purges import Purge
from igloo_media.settings import CacheSettings

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

PURGED: Final = "X-Igloo-Purged"
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 1.0, 5.0, 3
# CloudFront works on this many paths with a `*` at a time, and on 3,000 others.
WILDCARDS_AT_ONCE: Final = 15
PATHS_AT_ONCE: Final = 1000


class CacheUnavailable(Exception):
    """A cache did not confirm that it forgot a photo."""


class Caches:
    """Everything that keeps photos on their way to phones; nothing, where nothing is configured."""

    def __init__(self, settings: CacheSettings) -> None:
        self._gateways = [Gateways(url) for url in settings.gateway_urls]
        distribution = settings.cloudfront_distribution_id
        self._edge = None if distribution is None else CloudFront(distribution)

    def forget(self, purges: Sequence[Purge]) -> None:
        """Have every cache forget these paths, the nearest first, for the farther ones fill up from it.

        CloudFront is told of the last purges of a path alone: it charges for each.

        Raises:
            CacheUnavailable: one of them has not confirmed; told again, nothing is forgotten twice.
        """
        for gateways in self._gateways:
            gateways.forget(dict.fromkeys(purge.path for purge in purges))
        last = [purge for purge in purges if purge.is_last]
        if self._edge is not None and last:
            self._edge.forget(last)


class Gateways:
    """Every gateway behind one name: each of them keeps photos of its own."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._url = url
        self._host, self._port = place.hostname or "", place.port or 80
        self._web = PoolManager(timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS), retries=False)

    def forget(self, paths: Collection[str]) -> None:
        """Purge paths from all that the name leads to now.

        Raises:
            CacheUnavailable: one of them does not answer, or refuses.
        """
        for address in self._addresses():
            for path in paths:
                self._purge(f"http://{address}:{self._port}{path}")

    def _addresses(self) -> list[str]:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise CacheUnavailable(f"{self._url} has no address") from error
        return sorted({_spelt(str(place[0])) for *_, place in found})

    def _purge(self, address: str) -> None:
        try:
            answer = self._web.request("PURGE", address)
        except HTTPError as error:
            raise CacheUnavailable(f"{self._url} does not answer") from error
        # What it says from now on to who asks for the photo: 404, with a word that this is the purge's.
        if answer.status != HTTPStatus.NOT_FOUND or PURGED not in answer.headers:
            raise CacheUnavailable(f"{self._url} answers {answer.status}")


class CloudFront:
    """One distribution, which keeps photos under their paths, whatever their signatures."""

    def __init__(self, distribution_id: str) -> None:
        self._distribution_id = distribution_id

    def forget(self, purges: Sequence[Purge]) -> None:
        """Begin to invalidate paths; CloudFront is done with that within a minute or two.

        A call that is repeated because its answer was lost is known by its reference, and charged once.

        Raises:
            CacheUnavailable: it does not answer, or has too much to do already.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see _client

        paths = _invalidation_paths(purges)
        for first in range(0, len(paths), PATHS_AT_ONCE):
            batch = paths[first : first + PATHS_AT_ONCE]
            try:
                self._client.create_invalidation(
                    DistributionId=self._distribution_id,
                    InvalidationBatch={
                        "Paths": {"Quantity": len(batch), "Items": batch},
                        "CallerReference": _reference(batch, purges),
                    },
                )
            except (BotoCoreError, ClientError) as error:
                raise CacheUnavailable(f"CloudFront: {error}") from error

    @cached_property
    def _client(self) -> CloudFrontClient:
        """The client, with the task's role; boto3's part for CloudFront is loaded where there is one only."""
        from boto3.session import Session  # noqa: PLC0415 - see the docstring
        from botocore.config import Config  # noqa: PLC0415

        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        )
        # A service of the whole world, which is addressed through this region.
        return Session().client("cloudfront", region_name="us-east-1", config=config)


def _invalidation_paths(purges: Sequence[Purge]) -> list[str]:
    """Name whole photos while they are few, which costs a third; of many, one size after the other.

    A photo of which one size alone is purged is not named whole: the others stay as they are.
    """
    paths = sorted({purge.path for purge in purges})
    photos: dict[str, list[str]] = {}
    for path in paths:
        photos.setdefault(path.rpartition("/")[0], []).append(path)
    named = [sizes[0] if len(sizes) == 1 else f"{photo}/*" for photo, sizes in photos.items()]
    return named if sum(name.endswith("*") for name in named) <= WILDCARDS_AT_ONCE else paths


def _reference(batch: Sequence[str], purges: Sequence[Purge]) -> str:
    """Name a batch after what is in it and when it was due: the same again is the same name."""
    text = "\n".join([*batch, *sorted({purge.due_at.isoformat() for purge in purges})])
    return f"igloo-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _spelt(address: str) -> str:
    return f"[{address}]" if ":" in address else address
