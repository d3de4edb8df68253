"""A backup of a local stack takes its Facebook along, and what the demo has made there."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from igloo_local.backups.stand_in import PEOPLE, bring_back_stand_in, keep_stand_in
from igloo_local.errors import StackError
from igloo_local.facebook.store import Store

ELSEWHERE = ("facebook/app.json", "seed/people.json", "seed/progress.json")


def test_people_tokens_and_the_notes_of_the_demo_come_back_and_nothing_else(tmp_path: Path) -> None:
    folder, archive = tmp_path / "stack", tmp_path / "facebook.tar"
    for name in (*ELSEWHERE, "facebook/ports.json", "secrets.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    facebook = Store(folder / PEOPLE)
    with facebook.connection() as writing:
        writing.execute("INSERT INTO people (id, app_id, name, created_at) VALUES ('7', '1', 'Puffin', 0)")
        writing.commit()
        keep_stand_in(folder, archive)

    restored = tmp_path / "restored"
    restored.mkdir()
    bring_back_stand_in(archive, restored)

    found = {str(path.relative_to(restored)) for path in restored.rglob("*") if path.is_file()}
    assert found == {PEOPLE, *ELSEWHERE}
    assert [(restored / name).read_text() for name in ELSEWHERE] == [*ELSEWHERE]
    assert [row["name"] for row in Store(restored / PEOPLE).select("SELECT name FROM people")] == ["Puffin"]
    assert {*tmp_path.iterdir()} == {folder, archive, restored}


def test_a_stack_over_another_facebook_has_none_to_take_along(tmp_path: Path) -> None:
    keep_stand_in(tmp_path, tmp_path / "facebook.tar")

    assert [*tmp_path.iterdir()] == []


def test_an_archive_with_anything_else_in_it_is_not_unpacked(tmp_path: Path) -> None:
    archive, folder = tmp_path / "facebook.tar", tmp_path / "stack"
    folder.mkdir()
    with tarfile.open(archive, "w") as files:
        files.addfile(tarfile.TarInfo("auth/signing_keys.json"))

    with pytest.raises(StackError, match=r"it has auth/signing_keys\.json"):
        bring_back_stand_in(archive, folder)

    assert [*folder.iterdir()] == []
