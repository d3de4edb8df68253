"""Makes the web application of a service: wiring only, the same for all."""

import hmac
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import orjson
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from igloo_common import dead_peers
from igloo_common.blueprint import Blueprint, body_limit
from igloo_common.cli import events
from igloo_common.denylist import Denylist
from igloo_common.identity import TokenVerifier
from igloo_common.keys import KeySource, RemoteKeys
from igloo_common.logs import configure_logs
from igloo_common.migration_commands import MigrationCommands
from igloo_common.observation import observe_requests
from igloo_common.openapi import document_api
from igloo_common.probes import add_probes
from igloo_common.problems import ProblemSchema, register_problem_handlers
from igloo_common.readiness import keys_check
from igloo_common.responses import json_response
from igloo_common.settings import CommonSettings
from igloo_common.unread_bodies import read_what_is_left
from igloo_common.wiring import Wiring, provide, provided, wire

__all__ = [
    "Blueprint",
    "ProblemSchema",
    "body_limit",
    "create_service",
    "engine_options",
    "json_response",
    "provide",
    "provided",
]

_BODY_LIMIT_BYTES: Final = 1024 * 1024


class Service(Flask):
    """Flask without the search for coroutines that it makes in every hook and view of every request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Take every function as it is: igloo has no asynchronous ones."""
        return func


def create_service(
    *,
    settings: CommonSettings,
    db: SQLAlchemy,
    blueprints: Sequence[Blueprint],
    title: str,
    keys: KeySource,
) -> Flask:
    """Make a service's application: database, migrations, access, problems, document, probes and records."""
    configure_logs(service=settings.service, level=settings.log_level)
    app = Service(f"igloo_{settings.service}", static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=_BODY_LIMIT_BYTES,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings),
    )
    # A redirect would answer in HTML, and a client that follows it hides a wrong path.
    app.url_map.merge_slashes = False
    app.after_request(read_what_is_left)
    observe_requests(app, service=settings.service, access_log=settings.log_level in ("DEBUG", "INFO"))
    register_problem_handlers(app)
    _connect_database(app, settings, db, keys)
    more = [partial(keys_check, keys)] if isinstance(keys, RemoteKeys) else []
    add_probes(app, database_url=settings.database_url, schema=settings.service, more=more)
    document_api(app, blueprints, title=title)
    app.cli.add_command(events)
    return app


def engine_options(settings: CommonSettings) -> dict[str, Any]:
    """Say how a web process holds its connections: about one a thread, bounded in time, in its own schema."""
    session = {
        "search_path": settings.service,
        "timezone": "UTC",
        "statement_timeout": "10s",
        "lock_timeout": "3s",
        "idle_in_transaction_session_timeout": "15s",
        # Who reads by time reads again what can still be committed: see OVERLAP of social's feed changes.
        "transaction_timeout": "50s",
        **dead_peers.SERVER,
    }
    return {
        "pool_size": settings.threads,
        "max_overflow": 2,
        "pool_timeout": 5,
        # The connection used last is the one whose statements are prepared and whose caches are warm.
        "pool_use_lifo": True,
        "connect_args": {
            "application_name": f"igloo_{settings.service}",
            "connect_timeout": 3,
            **dead_peers.CLIENT,
            "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
            "prepare_threshold": 2,
        },
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
    }


def _connect_database(app: Flask, settings: CommonSettings, db: SQLAlchemy, keys: KeySource) -> None:
    db.init_app(app)
    app.cli.add_command(MigrationCommands(app, db))
    with app.app_context():
        denylist = Denylist(db.engine)
    verifier = TokenVerifier(keys=keys, issuer=settings.issuer, audience=settings.audience, denylist=denylist)
    cursor_key = hmac.digest(settings.secret_key.encode(), b"igloo cursor v2", "sha512")
    wire(app, Wiring(settings=settings, verifier=verifier, cursor_key=cursor_key))
