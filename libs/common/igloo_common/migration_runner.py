"""Runs a service's migrations: what every service's `migrations/env.py` calls."""

from __future__ import annotations

from alembic import context
from sqlalchemy import MetaData, NullPool, create_engine

from igloo_common import dead_peers
from igloo_common.settings import CommonSettings


def run_migrations(
    settings: CommonSettings, metadata: MetaData, *, compare_server_default: bool = True
) -> None:
    """Bring a service's schema from one version to another, as its owner, a transaction for each step.

    `compare_server_default` is for `flask db check` alone.
    """
    engine = create_engine(
        settings.migration_database_url,
        poolclass=NullPool,
        connect_args={
            "options": _session_options(settings.service),
            "application_name": f"igloo-{settings.service}-migrations",
            **dead_peers.CLIENT,
        },
    )
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            compare_server_default=compare_server_default,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


def _session_options(schema: str) -> str:
    # Who waits for a lock makes everybody behind them wait: give up soon, and let the deployment try again.
    options = {
        "search_path": schema,
        "lock_timeout": "5s",
        "statement_timeout": "15min",
        "timezone": "UTC",
        # A migrator that vanishes takes its locks with it.
        **dead_peers.SERVER,
    }
    return " ".join(f"-c {name}={value}" for name, value in options.items())
