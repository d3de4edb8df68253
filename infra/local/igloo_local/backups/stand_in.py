"""What would be there after any accident of igloo's: Facebook's people, and what the demo noted of them.

Facebook is not igloo's, but a local stack has its own. Without its people nobody could sign in again after a
restore, and `make run` would fill a second town beside the first. No igloo elsewhere knows them, or their
tokens.
"""

from __future__ import annotations

import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from igloo_local.errors import StackError

PEOPLE = "facebook/people.sqlite3"
_FILES = (PEOPLE, "facebook/app.json", "seed/people.json", "seed/progress.json")


def keep_stand_in(stack_folder: Path, archive: Path) -> None:
    """Copy what there is of it into an archive; a stack over another Facebook has none, and gets none."""
    if not (stack_folder / PEOPLE).exists():
        return
    with tarfile.open(archive, "w") as files, tempfile.TemporaryDirectory(dir=archive.parent) as beside:
        for name in _FILES:
            path = stack_folder / name
            if name == PEOPLE:
                path = _settled_copy(path, Path(beside) / "people")
            if path.exists():
                files.add(path, arcname=name)


def bring_back_stand_in(archive: Path, stack_folder: Path) -> None:
    """Put it where a stack will find it.

    Raises:
        StackError: the archive holds something else.
    """
    with tarfile.open(archive) as files:
        if strange := {member.name for member in files} - set(_FILES):
            raise StackError(f"{archive} is not what was backed up: it has {', '.join(sorted(strange))}")
        files.extractall(stack_folder, filter="data")


def _settled_copy(database: Path, copy: Path) -> Path:
    """Copy the database with what its journal holds, whoever writes meanwhile."""
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.chmod(0o600)
    return copy
