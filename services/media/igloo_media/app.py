"""Wires the media service's Flask application."""

from __future__ import annotations

from flask import Flask

from igloo_common.keys import KeySource, published_keys
from igloo_common.seats import Seats
from igloo_common.settings import load_or_exit
from igloo_common.web import create_service, provide
from igloo_media.api import BLUEPRINTS
from igloo_media.commands import storage_commands
from igloo_media.db import db
from igloo_media.settings import Settings
from igloo_media.storage import Storage


def create_app(settings: Settings | None = None, *, keys: KeySource | None = None) -> Flask:
    """Make the application; without arguments, from the environment and with auth's published keys."""
    settings = settings or load_or_exit(Settings.load)
    app = create_service(
        settings=settings.common,
        db=db,
        blueprints=BLUEPRINTS,
        title="igloo media",
        keys=keys or published_keys(settings.common),
    )
    provide(app, settings)
    provide(app, Storage(settings.storage, connections=settings.common.threads + settings.images.lanes))
    # Forms of photos take seconds, and the gateway waits for this process with every picture that it shows.
    provide(app, Seats(max(1, settings.common.threads // 2)))
    app.cli.add_command(storage_commands)
    return app
