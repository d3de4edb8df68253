"""Wires the auth service's Flask application."""

from __future__ import annotations

from flask import Flask

from igloo_auth import models
from igloo_auth.api import BLUEPRINTS
from igloo_auth.commands.accounts import accounts as account_commands
from igloo_auth.commands.keys import keys as key_commands
from igloo_auth.db import db
from igloo_auth.facebook.dialog import FacebookDialog
from igloo_auth.facebook.graph import FacebookGraph
from igloo_auth.facebook.id_token_keys import IdTokenKeys
from igloo_auth.facebook.limited_login import LimitedLogin
from igloo_auth.facebook.seats import FacebookSeats
from igloo_auth.settings import Settings, SigningKeysSettings
from igloo_auth.tokens.access_tokens import AccessTokens
from igloo_auth.tokens.key_files import FileKeys
from igloo_auth.tokens.key_secrets import SecretKeys
from igloo_auth.tokens.key_stores import KeyStore
from igloo_auth.tokens.signing_keys import SigningKeys
from igloo_common.object_store import ObjectStore
from igloo_common.settings import load_or_exit
from igloo_common.web import create_service, provide

__all__ = ["create_app", "models"]


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application; without settings, from the environment."""
    settings = settings or load_or_exit(Settings.load)
    keys = SigningKeys(
        _key_store(settings.signing_keys),
        token_seconds=settings.lifetimes.access_seconds,
        # In a secret the first key is made by an operator, wherever that is.
        generate=settings.signing_keys.generate and settings.signing_keys.secret_id is None,
    )
    app = create_service(
        settings=settings.common, db=db, blueprints=BLUEPRINTS, title="igloo auth", keys=keys
    )
    provide(app, settings)
    provide(app, keys)
    provide(app, FacebookGraph(settings.facebook, connections=settings.common.threads))
    provide(app, FacebookSeats(threads=settings.common.threads))
    provide(app, LimitedLogin(IdTokenKeys(settings.facebook.jwks_url), app_id=settings.facebook.app_id))
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
    provide(app, ObjectStore(settings.storage, connections=settings.common.threads))
    app.cli.add_command(account_commands)
    app.cli.add_command(key_commands)
    return app


def _key_store(settings: SigningKeysSettings) -> KeyStore:
    if settings.secret_id is not None:
        return SecretKeys(settings.secret_id, region=settings.region)
    if settings.file is None:
        raise ValueError("the settings say where the signing keys are")
    return FileKeys(settings.file)
