"""What an archive may contain, and under which names."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from zipfile import ZipFile

import pytest

from auth.export_room import ExportRoom, downloaded
from auth.phones import Phone
from igloo_auth.archives.zips import ArchivedFile, archived_files, write_archive
from igloo_auth.policies.archives import safe_path, unused_path
from igloo_common.clock import utc_now
from igloo_common.object_store import StoredObject


def test_an_archive_never_climbs_out_of_the_folder_it_is_unpacked_in() -> None:
    # SeaweedFS refuses most of these keys; S3 of AWS takes them.
    hostile = [
        "social/../../etc/passwd",
        "a\\..\\..\\b.json",
        "/abs.json",
        "C:/x",
        "\\\\server\\share",
        "..",
        "nul",
    ]
    objects = [StoredObject(key=f"parts/{name}", size_bytes=1) for name in hostile]

    paths = [file.path for file in archived_files(objects, prefix="parts/")]

    assert paths == ["social/etc/passwd", "a/b.json", "abs.json", "C_/x", "server/share", "_nul"]


def test_odd_names_are_made_safe_on_their_way_into_the_archive(phone: Phone, room: ExportRoom) -> None:
    export = room.ask(phone)
    room.put_parts(export, {"social": {"a:b|c.json": b"1", "con.json": b"2"}})
    room.deliver_parts(export)
    room.work()

    archive = downloaded(room.look(phone, export))

    assert archive.read("social/a_b_c.json") == b"1"
    assert archive.read("social/_con.json") == b"2"


@pytest.mark.parametrize(
    ("proposed", "path"),
    [
        ("social/posts.json", "social/posts.json"),
        ("media/사진 1.webp", "media/사진 1.webp"),
        ("../x", "x"),
        ("a/../../x", "a/x"),
        ("/etc/passwd", "etc/passwd"),
        ("..\\..\\x", "x"),
        ("C:\\x", "C_/x"),
        ("a//./b", "a/b"),
        ("... /x", "x"),
        ("x\x00y\ny", "x_y_y"),
        ("con", "_con"),
        ("a/NUL.txt", "a/_NUL.txt"),
        ("name. . ", "name"),
        ("x" * 300 + ".webp", "x" * 115 + ".webp"),
        ("..", None),
        ("", None),
        ("///", None),
    ],
)
def test_a_path_is_made_safe_for_every_kind_of_computer(proposed: str, path: str | None) -> None:
    assert safe_path(proposed) == path


def test_files_whose_names_become_the_same_are_numbered() -> None:
    taken: set[str] = set()

    assert [unused_path(path, taken=taken) for path in ("a/x.json", "a/X.json", "a/x.json", "a/y")] == [
        "a/x.json",
        "a/X-2.json",
        "a/x-3.json",
        "a/y",
    ]


def test_no_part_takes_the_place_of_our_own_pages() -> None:
    objects = [StoredObject(key=f"p/{name}", size_bytes=1) for name in ("readme.TXT", "index.html", "..")]

    files = archived_files(objects, prefix="p/")

    assert [file.path for file in files] == ["readme-2.TXT", "index-2.html"]


def test_a_large_photo_is_never_whole_in_memory(room: ExportRoom, tmp_path: Path) -> None:
    size = 24 * 1024 * 1024
    room.store.put("exports/x/big.webp", bytes(size), content_type="image/webp")
    target = tmp_path / "archive.zip"
    calls: list[None] = []

    tracemalloc.start()
    write_archive(
        target,
        store=room.store,
        files=[ArchivedFile(key="exports/x/big.webp", path="media/big.webp", size_bytes=size)],
        made_at=utc_now(),
        after_each=lambda: calls.append(None),
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < size / 4
    assert calls == [None]
    with ZipFile(io.BytesIO(target.read_bytes())) as archive:
        assert archive.getinfo("media/big.webp").file_size == size
