"""Folders that people's photos and copies are worked on in."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from igloo_common.work_folders import remove_abandoned_folders, work_folder

HOLDING = """
import sys
from igloo_common.work_folders import work_folder
with work_folder() as folder:
    (folder / "original").write_bytes(b"a photo")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have all temporary files of the test in one place."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def holder(place: Path) -> subprocess.Popen[str]:
    """Start a process that works in a folder."""
    environment = {"PYTHONPATH": ":".join(sys.path), "TMPDIR": str(place)}
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", HOLDING],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def folder_of(holder: subprocess.Popen[str]) -> Path:
    """Wait until a process has its folder."""
    assert holder.stdout is not None
    return Path(holder.stdout.readline().strip())


def test_a_folder_is_gone_after_the_work_and_after_a_failure_too(place: Path) -> None:
    with work_folder() as folder:
        (folder / "archive.zip").write_bytes(b"everything")
        assert folder.stat().st_mode & 0o077 == 0
    with pytest.raises(IsADirectoryError), work_folder() as folder:
        folder.write_bytes(b"")

    assert list(place.iterdir()) == []


def test_the_folder_of_a_killed_process_is_removed_by_the_next(
    place: Path, holder: subprocess.Popen[str]
) -> None:
    with holder:
        folder = folder_of(holder)
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=10)
    assert (folder / "original").read_bytes() == b"a photo"

    assert remove_abandoned_folders() == 1

    assert list(place.iterdir()) == []
    assert remove_abandoned_folders() == 0


def test_a_folder_in_use_is_left_alone_here_and_in_other_processes(
    place: Path, holder: subprocess.Popen[str]
) -> None:
    with holder, work_folder() as own:
        other = folder_of(holder)

        assert remove_abandoned_folders() == 0

        assert own.is_dir()
        assert (other / "original").is_file()
    assert list(place.iterdir()) == []


def test_what_only_has_such_a_name_is_left_alone(place: Path) -> None:
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "kept").touch()
    (place / "igloo-work-link").symlink_to(place / "elsewhere")
    (place / "igloo-work-file").touch()

    assert remove_abandoned_folders() == 0

    assert (place / "elsewhere" / "kept").exists()


def test_every_service_works_in_such_a_folder() -> None:
    services = Path(__file__).parents[2] / "services"
    others = {"TemporaryDirectory", "mkdtemp", "NamedTemporaryFile"}

    sources = {source: source.read_text() for source in services.rglob("*.py")}

    assert sum("work_folder()" in text for text in sources.values()) == 6
    assert [source.name for source, text in sources.items() if any(name in text for name in others)] == []
