"""S3 asks for credentials, and keeps what it acknowledged through a kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from igloo_local.parts.seaweed import Seaweed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="module")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """Start the server once for this module."""
    with Seaweed(tmp_path_factory.mktemp("s3")) as server:
        yield server


def client(server: Seaweed, *, secret: str | None = None) -> S3Client:
    key_id, known = server.credentials
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret or known,
    )


def test_nobody_gets_in_without_the_secret(seaweed: Seaweed) -> None:
    assert requests.get(seaweed.url, timeout=5).status_code == 403
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client(seaweed, secret="wrong").list_buckets()


def test_a_browser_on_another_origin_may_send_photos(seaweed: Seaweed) -> None:
    answer = requests.options(
        f"{seaweed.url}/some-bucket",
        headers={"Origin": "http://127.0.0.1:8080", "Access-Control-Request-Method": "POST"},
        timeout=5,
    )

    assert answer.ok
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", "http://127.0.0.1:8080")


def test_an_acknowledged_object_survives_a_kill(seaweed: Seaweed) -> None:
    client(seaweed).create_bucket(Bucket="kept")
    bodies = {f"photo-{n}": bytes([n]) * 200_000 for n in range(20)}
    for key, body in bodies.items():
        client(seaweed).put_object(Bucket="kept", Key=key, Body=body)

    seaweed.processes[0].kill()
    seaweed.stop()
    seaweed.start()

    for key, body in bodies.items():
        assert client(seaweed).get_object(Bucket="kept", Key=key)["Body"].read() == body


def test_it_starts_in_a_folder_whose_path_is_too_long_for_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 15) / ("deeper" * 10)
    folder.mkdir(parents=True)

    with Seaweed(folder) as server:
        assert requests.get(server.url, timeout=5).status_code == 403
