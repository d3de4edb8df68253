"""Wires the social service's Flask application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.keys import published_keys
from igloo_common.settings import load_or_exit
from igloo_common.web import create_service, provide
from igloo_social import models
from igloo_social.addresses import RenditionAddresses
from igloo_social.api import BLUEPRINTS
from igloo_social.commands.counts import counts as count_commands
from igloo_social.commands.feeds import feed as feed_commands
from igloo_social.db import db
from igloo_social.first_sight import note_first_sights
from igloo_social.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

    from igloo_common.keys import KeySource

__all__ = ["create_app", "models"]


def create_app(settings: Settings | None = None, *, keys: KeySource | None = None) -> Flask:
    """Make the application; without arguments, from the environment and with auth's published keys."""
    settings = settings or load_or_exit(Settings.load)
    app = create_service(
        settings=settings.common,
        db=db,
        blueprints=BLUEPRINTS,
        title="igloo social",
        keys=keys or published_keys(settings.common),
    )
    provide(app, settings)
    provide(app, RenditionAddresses(settings))
    note_first_sights(app)
    app.cli.add_command(count_commands)
    app.cli.add_command(feed_commands)
    return app
