"""The media service on real PostgreSQL and real S3, for its own tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import orjson
import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from factories.databases import DatabaseUrls
from factories.environment import service_environ
from factories.s3_faults import FaultyS3
from factories.tokens import StaticKeys, bearer
from igloo_common.database import current_engine, reading, transaction
from igloo_common.ids import new_id
from igloo_local.parts.seaweed import Seaweed
from igloo_media.app import create_app
from igloo_media.images import Renderer
from igloo_media.images.limits import ChildLimits
from igloo_media.jobs.account_tasks import AccountTaskLane
from igloo_media.jobs.processing import PhotoLane
from igloo_media.models import MediaItem
from igloo_media.settings import Settings
from igloo_media.storage import Storage

T = TypeVar("T")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """Start S3."""
    with Seaweed(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def settings(s3: Seaweed, database_urls: Mapping[str, DatabaseUrls]) -> Settings:
    """Give the settings of a media service on these parts."""
    key_id, secret = s3.credentials
    return Settings.load(
        service_environ(
            "media",
            database_url=database_urls["media"].service,
            migration_database_url=database_urls["media"].migration,
            s3_endpoint=s3.url,
            s3_access_key_id=key_id,
            s3_secret_access_key=secret,
        )
    )


@pytest.fixture(scope="session")
def storage(settings: Settings) -> Storage:
    """Give the bucket."""
    storage = Storage(settings.storage)
    storage.prepare()
    return storage


@pytest.fixture(scope="session")
def faulty_proxy(s3: Seaweed) -> Iterator[FaultyS3]:
    """Start a proxy before S3 that fails by rule."""
    with FaultyS3(s3.url) as proxy:
        yield proxy


@pytest.fixture
def faulty(faulty_proxy: FaultyS3) -> Iterator[FaultyS3]:
    """Give the proxy, whole again after the test."""
    yield faulty_proxy
    faulty_proxy.heal()


@pytest.fixture(scope="session")
def media_app(settings: Settings) -> Iterator[Flask]:
    """Make the application once, and close its connections at the end."""
    app = create_app(settings, keys=StaticKeys())
    yield app
    with app.app_context():
        current_engine().dispose()


@pytest.fixture
def app(media_app: Flask, storage: Storage) -> Iterator[Flask]:
    """Give the application, inside of its context."""
    with media_app.app_context():
        yield media_app


@pytest.fixture
def lane(app: Flask, storage: Storage) -> Iterator[PhotoLane]:
    """Give a lane that processes photos, and end its child after the test."""
    lane = PhotoLane(storage=storage, limits=ChildLimits())
    yield lane
    lane.close()


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    """Give a child process that renders photos; one for all tests that do not end theirs."""
    renderer = Renderer(ChildLimits())
    yield renderer
    renderer.close()


@pytest.fixture
def account_lane(app: Flask, storage: Storage) -> AccountTaskLane:
    """Give a lane that erases and exports accounts."""
    return AccountTaskLane(storage)


@dataclass(kw_only=True)
class Person:
    """Somebody with an account, and an app in the hand."""

    client: FlaskClient
    id: UUID = field(default_factory=new_id)

    def call(self, method: str, path: str, **more: Any) -> TestResponse:  # noqa: ANN401 - Werkzeug's
        """Send a request as this person."""
        headers = {**bearer(self.id), **more.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **more)

    def ask(self, *files: bytes, **fields: str) -> list[dict[str, Any]]:
        """Ask for a target for each file."""
        wanted = [{"content_type": "image/jpeg", "size_bytes": len(file), **fields} for file in files]
        answer = self.call("POST", "/v1/uploads", json={"files": wanted})
        assert answer.status_code == 201, answer.text
        uploads: list[dict[str, Any]] = answer.get_json()["data"]
        return uploads

    def upload(self, *files: bytes, **fields: str) -> list[UUID]:
        """Upload files and complete each, as an app does."""
        uploads = self.ask(*files, **fields)
        for upload, file in zip(uploads, files, strict=True):
            assert send(upload["target"], file).status_code == 204
            assert self.call("POST", f"/v1/uploads/{upload['id']}/complete").status_code == 200
        return [UUID(upload["media_id"]) for upload in uploads]

    def media(self, media_id: UUID | str) -> dict[str, Any]:
        """Look at a photo."""
        answer = self.call("GET", f"/v1/media/{media_id}")
        assert answer.status_code == 200, answer.text
        item: dict[str, Any] = answer.get_json()
        return item


@pytest.fixture
def ana(app: Flask) -> Person:
    """Somebody."""
    return Person(client=app.test_client())


@pytest.fixture
def ben(app: Flask) -> Person:
    """Somebody else."""
    return Person(client=app.test_client())


def send(target: Mapping[str, Any], file: bytes, **changed: str) -> requests.Response:
    """POST a file to S3 as a phone does; `changed` fields break the policy."""
    return requests.post(
        target["url"], data={**target["fields"], **changed}, files={"file": file}, timeout=10
    )


def run(lane: PhotoLane) -> int:
    """Let the lane work until nothing is due; return how many photos it took."""
    taken = 0
    while lane.step():
        taken += 1
    return taken


def events(event_type: str) -> list[dict[str, Any]]:
    """Return the data of the events written so far, oldest first."""
    with reading() as reader:
        rows = reader.execute(
            text("SELECT payload FROM outbox WHERE type = :type ORDER BY id"), {"type": event_type}
        )
        return [orjson.loads(bytes(row.payload)) for row in rows]


def item(media_id: UUID | str) -> Any:  # noqa: ANN401 - a row of any columns
    """Return a photo's row."""
    with reading() as reader:
        return reader.execute(select(MediaItem.__table__).where(MediaItem.id == media_id)).one()


def change(media_id: UUID | str, **values: object) -> None:
    """Change a photo's row behind the service's back, mostly to let time pass."""
    with transaction() as session:
        session.execute(update(MediaItem).where(MediaItem.id == media_id).values(**values))


def let_time_pass(hours: float) -> None:
    """Make everything that is in the database this much older."""
    columns = {
        "media_items": ("created_at", "expires_at", "due_at", "uploaded_at", "finished_at", "closed_at"),
        "object_removals": ("due_at",),
        "abandoned_parts": ("due_at",),
    }
    with transaction() as session:
        for table, names in columns.items():
            moved = ", ".join(f"{name} = {name} - :span" for name in names)
            session.execute(text(f"UPDATE {table} SET {moved}"), {"span": timedelta(hours=hours)})  # noqa: S608 - own names


def wait_until(accepted: Callable[[], T], what: str, *, seconds: float = 20.0) -> T:
    """Poll until the answer is true and return it; fail with what was awaited."""
    deadline = time.monotonic() + seconds
    while not (answer := accepted()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.02)
    return answer
