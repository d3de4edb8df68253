"""`flask db …`, which loads Flask-Migrate when it is called."""

from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask_sqlalchemy import SQLAlchemy


class MigrationCommands(click.Command):
    """Stands for Flask-Migrate's group of commands until one of them is called.

    To import Alembic takes a seventh of what a process needs to start, and neither web processes nor workers
    have a use for it.
    """

    def __init__(self, app: Flask, db: SQLAlchemy) -> None:
        super().__init__("db", help="Perform database migrations.")
        self._app = app
        self._db = db

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        *more: Any,  # noqa: ANN401 - click's
        **extra: Any,  # noqa: ANN401
    ) -> click.Context:
        """Go on with the group itself, which takes this one's place in the application."""
        from flask_migrate import Migrate  # type: ignore[import-untyped]  # noqa: PLC0415 # its stubs lag behind it

        Migrate(self._app, self._db, directory=str(Path(self._app.root_path) / "migrations"))
        return self._app.cli.commands["db"].make_context(info_name, args, *more, **extra)
