"""Runs the auth service's migrations."""

from igloo_auth import models  # noqa: F401 - the tables are known to Base once they are imported
from igloo_auth.db import Base
from igloo_auth.settings import Settings
from igloo_common.migration_runner import run_migrations
from igloo_common.wiring import provided

run_migrations(provided(Settings).common, Base.metadata)
