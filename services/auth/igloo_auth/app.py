"""Wires the auth service's Flask application."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from igloo_auth import models
from igloo_auth.api import BLUEPRINTS
from igloo_auth.db import db
from igloo_auth.facebook.dialog import FacebookDialog
from igloo_auth.facebook.graph import FacebookGraph
from igloo_auth.settings import Settings
from igloo_auth.tokens.access_tokens import AccessTokens
from igloo_auth.tokens.signing_keys import SigningKeys
from igloo_common.settings import load_or_exit
from igloo_common.web import create_service, provide

__all__ = ["create_app", "models"]


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application; without settings, from the environment."""
    settings = settings or load_or_exit(Settings.load)
    keys = SigningKeys(_keys_file(settings), generate=settings.signing_keys.generate)
    app = create_service(
        settings=settings.common, db=db, blueprints=BLUEPRINTS, title="igloo auth", keys=keys
    )
    provide(app, settings)
    provide(app, keys)
    provide(app, FacebookGraph(settings.facebook, connections=settings.common.threads))
    provide(
        app,
        FacebookDialog(
            settings.facebook,
            public_url=settings.common.public_url,
            secret_key=settings.common.secret_key,
        ),
    )
    provide(
        app,
        AccessTokens(
            keys,
            issuer=settings.common.issuer,
            audience=settings.common.audience,
            seconds=settings.lifetimes.access_seconds,
        ),
    )
    return app


def _keys_file(settings: Settings) -> Path:
    return settings.signing_keys.file or Path("signing-keys.json")
