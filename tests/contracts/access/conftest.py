"""The social and the media service side by side, on their real databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import igloo_media.app
import igloo_media.settings
import igloo_social.app
import igloo_social.settings
from contracts.access.worlds import Actor, Setting, World, build
from factories.databases import DatabaseUrls
from factories.environment import service_environ
from factories.tokens import StaticKeys
from igloo_common import denylist
from igloo_common.database import current_engine
from igloo_local.parts.seaweed import Seaweed
from igloo_media.storage import Storage
from igloo_social.api import newcomers


@pytest.fixture(scope="session")
def environs(database_urls: Mapping[str, DatabaseUrls], s3: Seaweed) -> Mapping[str, Mapping[str, str]]:
    """Write down every setting of both services."""
    key_id, secret = s3.credentials
    return {
        service: service_environ(
            service,
            database_url=database_urls[service].service,
            migration_database_url=database_urls[service].migration,
            log_level="ERROR",
            s3_endpoint=s3.url,
            s3_access_key_id=key_id,
            s3_secret_access_key=secret,
        )
        for service in ("social", "media")
    }


@pytest.fixture(scope="session")
def apps(environs: Mapping[str, Mapping[str, str]]) -> Iterator[Mapping[str, Flask]]:
    """Make both applications."""
    media_settings = igloo_media.settings.Settings.load(environs["media"])
    Storage(media_settings.storage).prepare()
    social_settings = igloo_social.settings.Settings.load(environs["social"])
    made = {
        "social": igloo_social.app.create_app(social_settings, keys=StaticKeys()),
        "media": igloo_media.app.create_app(media_settings, keys=StaticKeys()),
    }
    yield made
    for app in made.values():
        with app.app_context():
            current_engine().dispose()


@pytest.fixture
def build_world(database_urls: Mapping[str, DatabaseUrls]) -> Iterator[Callable[[Actor, Setting], World]]:
    """Give what writes a world into both schemas."""
    engines = [create_engine(database_urls[service].service) for service in ("social", "media")]
    with Session(engines[0]) as social, Session(engines[1]) as media:
        yield lambda actor, setting: build(social, media, actor, setting)
    for engine in engines:
        engine.dispose()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know at once of ended sessions, and that nobody has an id although it is as young as a newcomer's."""
    monkeypatch.setattr(denylist, "_READ_EVERY_SECONDS", -1.0)
    monkeypatch.setattr(newcomers, "PATIENCE_SECONDS", 0.0)
