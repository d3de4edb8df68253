"""One-off tasks of the compose stack: the database's roles, and the demo people with their posts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import psycopg

from igloo_local.demo.people import Place, sign_in_everybody
from igloo_local.demo.seeding import Seeding
from igloo_local.parts.postgres_roles import RolePasswords, prepare_database


class OnePassword(RolePasswords):
    """The same password for each role: fit for a database that only this machine reaches."""

    def __init__(self, password: str) -> None:
        super().__init__(Path())
        self._password = password

    def __getitem__(self, role: str) -> str:
        """Return the password, whoever asks."""
        return self._password


def prepare_roles(options: argparse.Namespace) -> None:
    """Make schemas, roles and privileges; again is harmless."""
    with psycopg.connect(options.database, autocommit=True, connect_timeout=10) as connection:
        prepare_database(connection, OnePassword(options.role_password))
    print("roles and schemas are ready")


def seed(options: argparse.Namespace) -> None:
    """Sign the demo people in and let them post, unless they have."""
    place = Place(
        folder=Path(options.folder),
        gateway=options.gateway,
        facebook=options.facebook,
        app_id=options.app_id,
        app_secret=options.app_secret,
    )
    Seeding(place, sign_in_everybody(place), report=print).run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m igloo_local.compose", description=__doc__)
    tasks = parser.add_subparsers(required=True, metavar="TASK")
    roles = tasks.add_parser("roles", help="make schemas, roles and privileges")
    for name in ("--database", "--role-password"):
        roles.add_argument(name, required=True)
    roles.set_defaults(task=prepare_roles)
    demo = tasks.add_parser("demo", help="make demo people and their posts")
    for name in ("--gateway", "--facebook", "--app-id", "--app-secret", "--folder"):
        demo.add_argument(name, required=True)
    demo.set_defaults(task=seed)
    return parser


if __name__ == "__main__":
    chosen = _parser().parse_args(sys.argv[1:])
    chosen.task(chosen)
