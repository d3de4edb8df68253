"""What an operator does while everything runs: keys are rotated, a schema is migrated there and back."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.faults.fault import AT_ONCE, Fault, Maker, SimpleFault
from igloo_local.settings import inherited_environment
from igloo_local.source import ROOT

if TYPE_CHECKING:
    from chaos.town import Town

_COMMAND_SECONDS = 120.0
_TRIES = 3
# The tables that every request of a service reads or writes.
_HOT_TABLES = {"auth": "accounts", "social": "posts", "media": "media_items"}
_REVISION = '''"""A column and an index that come and go while people use the service."""

from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


def makers(town: Town) -> Iterator[Maker]:
    """Yield a maker for each kind of work that operators do."""
    yield Maker("rotate-signing-keys", lambda draw: _rotate(town, draw))
    yield Maker("migrate", lambda draw: _migrate(town, draw.choice(sorted(_HOT_TABLES))))


def _rotate(town: Town, draw: random.Random) -> Fault:
    after = draw.choice((0, 5))

    def rotate() -> str:
        words = ["keys", "rotate", "--force", "--after", str(after)]
        return _flask(town, "auth", words)[-1]

    return SimpleFault(kind="rotate-signing-keys", target="auth", breaking=rotate, hold_seconds=AT_ONCE)


def _migrate(town: Town, service: str) -> Fault:
    folder = town.folder / "migrations" / service

    def expand() -> str:
        _write_revisions(service, folder)
        return _until_done(town, service, ["db", "upgrade", "--directory", str(folder)])

    def contract() -> str:
        words = ["db", "downgrade", "--directory", str(folder), _newest_revision(service)]
        return _until_done(town, service, words)

    return SimpleFault(
        kind="migrate", target=f"{service}.{_HOT_TABLES[service]}", breaking=expand, mending=contract
    )


def _migrations(service: str) -> Path:
    return ROOT / "services" / service / f"igloo_{service}" / "migrations"


def _newest_revision(service: str) -> str:
    return max(path.name for path in (_migrations(service) / "versions").glob("[0-9]*.py")).split("_")[0]


def _write_revisions(service: str, folder: Path) -> None:
    """Copy the service's migrations, and put two behind the newest one."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_migrations(service), folder)
    table, index = _HOT_TABLES[service], f"ix_{_HOT_TABLES[service]}_nemesis_mark"
    column = _REVISION.format(
        revision="nemesis1",
        before=_newest_revision(service),
        upgrade=f'op.execute("ALTER TABLE {table} ADD COLUMN nemesis_mark text")',
        downgrade=f'op.execute("ALTER TABLE {table} DROP COLUMN nemesis_mark")',
    )
    made = f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} ON {table} (nemesis_mark)"
    gone = f"DROP INDEX CONCURRENTLY IF EXISTS {index}"
    concurrent = "with op.get_context().autocommit_block():\n        "
    (folder / "versions" / "9001_column.py").write_text(column)
    (folder / "versions" / "9002_index.py").write_text(
        _REVISION.format(
            revision="nemesis2",
            before="nemesis1",
            upgrade=f'{concurrent}op.execute("{made}")',
            downgrade=f'{concurrent}op.execute("{gone}")',
        )
    )


def _until_done(town: Town, service: str, words: list[str]) -> str:
    """Try as a deployment does: a migration gives up when it waits too long for a lock."""
    for attempt in range(1, _TRIES + 1):
        try:
            _flask(town, service, words)
        except CommandFailed:
            if attempt == _TRIES:
                raise
        else:
            return f"at the attempt {attempt}" if attempt > 1 else ""
    return ""


class CommandFailed(Exception):
    """A command of an operator did not do its work."""


def _flask(town: Town, service: str, words: list[str]) -> list[str]:
    """Run a flask command as the running service, straight to what it needs, and return its lines."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "flask", "--app", f"igloo_{service}.app", *words],
        env={**inherited_environment(), **town.stack.parts.services[service].environment},
        cwd=town.folder,
        capture_output=True,
        text=True,
        timeout=_COMMAND_SECONDS,
        check=False,
    )
    if done.returncode:
        raise CommandFailed(f"flask {' '.join(words)}: {(done.stdout + done.stderr)[-500:]}")
    return [*(done.stdout + done.stderr).splitlines(), ""]
