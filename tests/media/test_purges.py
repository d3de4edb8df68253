"""Caches are told what to forget until each of them has confirmed it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from flask import Flask
from moto import mock_aws
from sqlalchemy import delete, select

from gateway.upstreams import Answer, Upstream
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.ids import new_id
from igloo_local.ports import free_port
from igloo_media.caches import Caches, CacheUnavailable
from igloo_media.jobs.purging import OLDEST, measure_purges, purge_caches
from igloo_media.models import CachePurge
from igloo_media.operations.purges import note_purges, withdraw_paths
from igloo_media.policies.objects import rendition_paths
from igloo_media.policies.purges import Purge
from igloo_media.settings import CacheSettings

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudfront.type_defs import InvalidationBatchOutputTypeDef

PURGED = Answer(status=404, headers={"X-Igloo-Purged": "yes"})
DISTRIBUTION = "EDFDVBD6EXAMPLE"


@pytest.fixture(autouse=True)
def _nothing_is_noted(app: Flask) -> None:
    with transaction() as session:
        session.execute(delete(CachePurge))


@pytest.fixture
def gateway() -> Iterator[Upstream]:
    """Give a gateway that says yes to everything."""
    with Upstream("gateway") as upstream:
        upstream.answer(PURGED)
        yield upstream


def caches(*gateways: str, distribution: str | None = None) -> Caches:
    urls = tuple(f"http://{address}" for address in gateways)
    return Caches(CacheSettings(gateway_urls=urls, cloudfront_distribution_id=distribution))


def noted() -> list[tuple[str, bool]]:
    with reading() as reader:
        rows = reader.execute(select(CachePurge.path, CachePurge.is_last).order_by(CachePurge.due_at))
        return [(row.path, row.is_last) for row in rows]


def withdraw(*media_ids: UUID, seconds_ago: float = 0) -> list[str]:
    paths = [path for media_id in media_ids for path in rendition_paths(media_id)]
    with transaction() as session:
        withdraw_paths(session, paths=paths, now=utc_now() - timedelta(seconds=seconds_ago))
    return paths


def test_what_is_due_is_purged_and_what_is_not_waits(gateway: Upstream) -> None:
    paths = withdraw(new_id())

    purge_caches(caches(gateway.address))

    assert [(each.method, each.target) for each in gateway.received] == [
        ("PURGE", path) for path in sorted(paths)
    ]
    assert sorted(noted()) == sorted((path, True) for path in paths)


def test_a_cache_that_refuses_or_is_away_is_told_again(gateway: Upstream) -> None:
    paths = withdraw(new_id(), seconds_ago=60)
    gateway.answer(Answer(status=404))
    with pytest.raises(CacheUnavailable, match="answers 404"):
        purge_caches(caches(gateway.address))
    with pytest.raises(CacheUnavailable, match="does not answer"):
        purge_caches(caches(f"127.0.0.1:{free_port()}"))
    assert len(noted()) == 2 * len(paths)
    measure_purges()
    assert 55 <= OLDEST._value.get() < 600

    gateway.reset()
    gateway.answer(PURGED)
    purge_caches(caches(gateway.address))

    assert {each.target for each in gateway.received} == set(paths)
    assert noted() == []
    measure_purges()
    assert OLDEST._value.get() == 0


def test_every_gateway_behind_a_name_is_told(gateway: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def two_addresses(host: str, port: int, *how: int, **more: int) -> list[Any]:
        names = ["127.0.0.1", "127.0.0.2"] if host == "gateways.igloo.test" else [host]
        return [place for name in names for place in look_up(name, port, *how, **more)]

    withdraw(new_id())
    port = gateway.address.rpartition(":")[2]
    monkeypatch.setattr("igloo_media.caches.socket.getaddrinfo", two_addresses)

    with pytest.raises(CacheUnavailable):
        purge_caches(caches(f"gateways.igloo.test:{port}"))

    assert len(gateway.received) == 3, "the one that is there was told"
    assert len(noted()) == 6, "the other was not"


def test_without_caches_there_is_nothing_to_wait_for() -> None:
    withdraw(new_id(), seconds_ago=60)

    purge_caches(caches())

    assert noted() == []


def test_a_path_that_shows_something_else_is_purged_once_when_it_is_due(gateway: Upstream) -> None:
    with transaction() as session:
        note_purges(session, paths=["/media/x/thumb"], due_at=utc_now() + timedelta(seconds=35))

    purge_caches(caches(gateway.address))

    assert (gateway.received, noted()) == ([], [("/media/x/thumb", True)])


@dataclass(kw_only=True)
class Edge:
    """A distribution, the caches that are this distribution alone, and what it was told."""

    client: CloudFrontClient
    distribution: str
    caches: Caches
    seen: set[str] = field(default_factory=set)

    def news(self) -> list[InvalidationBatchOutputTypeDef]:
        """Return the batches that it was not asked about before."""
        listed = self.client.list_invalidations(DistributionId=self.distribution)["InvalidationList"]
        ids = {each["Id"] for each in listed.get("Items", [])} - self.seen
        self.seen |= ids
        found = [self.client.get_invalidation(DistributionId=self.distribution, Id=each) for each in ids]
        return [each["Invalidation"]["InvalidationBatch"] for each in found]

    def told(self) -> list[list[str]]:
        """Return the paths of these."""
        return [batch["Paths"].get("Items", []) for batch in self.news()]


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    """Give a CloudFront, as moto plays it; one for all, as its client is slow to make."""
    import boto3  # noqa: PLC0415 - slow to load, and for these tests alone

    with pytest.MonkeyPatch.context() as environ, mock_aws():
        environ.setenv("AWS_ACCESS_KEY_ID", "testing")
        environ.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        client = boto3.client("cloudfront", region_name="us-east-1")
        made = client.create_distribution(
            DistributionConfig={
                "CallerReference": "one",
                "Comment": "",
                "Enabled": True,
                "Origins": {"Quantity": 1, "Items": [{"Id": "s3", "DomainName": "photos.s3.amazonaws.com"}]},
                "DefaultCacheBehavior": {"TargetOriginId": "s3", "ViewerProtocolPolicy": "https-only"},
            }
        )
        name = made["Distribution"]["Id"]
        yield Edge(client=client, distribution=name, caches=caches(distribution=name))


def test_cloudfront_is_told_of_whole_photos_and_once(edge: Edge) -> None:
    hare, fox = new_id(), new_id()
    withdraw(hare, seconds_ago=60)
    withdraw(fox)

    purge_caches(edge.caches)

    assert edge.told() == [[f"/media/{hare}/*"]]


def test_one_size_is_purged_alone(edge: Edge) -> None:
    with transaction() as session:
        note_purges(session, paths=["/media/x/thumb"], due_at=utc_now())

    purge_caches(edge.caches)

    assert edge.told() == [["/media/x/thumb"]]


def test_of_more_photos_than_it_takes_whole_each_size_is_named(edge: Edge) -> None:
    paths = withdraw(*[new_id() for _ in range(16)], seconds_ago=60)

    purge_caches(edge.caches)

    assert edge.told() == [sorted(paths)]


def test_the_same_purges_have_the_same_reference_and_later_ones_another(edge: Edge) -> None:
    now = utc_now()
    purge = Purge(path="/media/x/thumb", due_at=now, is_last=True)
    again = Purge(path="/media/x/thumb", due_at=now + timedelta(hours=1), is_last=True)

    for each in (purge, purge, again):
        edge.caches.forget([each])

    references = {batch["CallerReference"] for batch in edge.news()}
    assert len(references) == 2


def test_a_cloudfront_that_refuses_is_told_again(edge: Edge) -> None:
    withdraw(new_id(), seconds_ago=60)

    with pytest.raises(CacheUnavailable, match="NoSuchDistribution"):
        purge_caches(caches(distribution=DISTRIBUTION))

    assert len(noted()) == 6
