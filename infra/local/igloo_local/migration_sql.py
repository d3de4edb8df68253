"""Every service's migrations as SQL, from their files alone: what linters of SQL read."""

import sys

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError

from igloo_local.errors import StackError
from igloo_local.parts.postgres_roles import SERVICES
from igloo_local.source import ROOT


def print_migration_sql() -> int:
    """Print the SQL that brings each empty schema to its newest migration.

    Raises:
        StackError: the migrations of a service do not end in exactly one head.
    """
    for service in SERVICES:
        scripts = ScriptDirectory(str(ROOT / "services" / service / f"igloo_{service}" / "migrations"))
        heads = scripts.get_heads()
        if len(heads) != 1:
            raise StackError(
                f"the migrations of {service} have {len(heads)} heads, and one is right: {heads}"
            )
        print(f"-- {service}", flush=True)
        _print_upgrade(scripts, to=heads[0])
    return 0


def _print_upgrade(scripts: ScriptDirectory, *, to: str) -> None:
    def revisions(current: object, _: MigrationContext) -> list[object]:
        try:
            return [*scripts._upgrade_revs(to, current)]  # type: ignore[arg-type]
        except RevisionError as error:
            raise StackError(str(error)) from error

    # The services' own env.py connects to a database; this needs none. The linter is told that a migration
    # runs in a transaction, so none is written.
    with EnvironmentContext(Config(), scripts, fn=revisions, as_sql=True, destination_rev=to) as environment:
        environment.configure(dialect_name="postgresql", output_buffer=sys.stdout, transactional_ddl=False)
        with environment.begin_transaction():
            environment.run_migrations()
