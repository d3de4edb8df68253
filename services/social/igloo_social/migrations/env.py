"""Runs the social service's migrations, as the owner of its schema."""

from alembic import context
from sqlalchemy import NullPool, create_engine

from igloo_common.wiring import provided
from igloo_social.db import Base
from igloo_social.settings import Settings

# Who waits for a lock makes everybody behind them wait: give up soon, and let the deployment try again.
OPTIONS = "-c search_path=social -c lock_timeout=5s -c statement_timeout=15min -c timezone=UTC"


def run_migrations() -> None:
    """Bring the schema from one version to another, each step in a transaction of its own."""
    engine = create_engine(
        provided(Settings).common.migration_database_url,
        poolclass=NullPool,
        connect_args={"options": OPTIONS, "application_name": "igloo-social-migrations"},
    )
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            # Alembic compares defaults in SQL, and PostgreSQL has no equality for json.
            compare_server_default=False,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run_migrations()
