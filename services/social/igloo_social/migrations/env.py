"""Runs the social service's migrations."""

from igloo_common.migration_runner import run_migrations
from igloo_common.wiring import provided
from igloo_social import models  # noqa: F401 - the tables are known to Base once they are imported
from igloo_social.db import Base
from igloo_social.settings import Settings

# Alembic compares defaults in SQL, and PostgreSQL has no equality for json.
run_migrations(provided(Settings).common, Base.metadata, compare_server_default=False)
