"""Runs the media service's migrations."""

from igloo_common.migration_runner import run_migrations
from igloo_common.wiring import provided
from igloo_media import models  # noqa: F401 - the tables are known to Base once they are imported
from igloo_media.db import Base
from igloo_media.settings import Settings

run_migrations(provided(Settings).common, Base.metadata)
