"""A small share of the fuzz run, the same one every time; `make fuzz` is the whole."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from fuzz.originals import mutant, originals
from fuzz.pieces import kind_of, pieces_of, repaired
from fuzz.runs import Share
from fuzz.workers import worked_off_together

COUNT = 200


def test_no_mutant_of_a_share_breaks_a_promise(tmp_path: Path) -> None:
    share = Share(seed=1, first=0, step=1, end=COUNT, seconds=100, kept_in=tmp_path)

    tally = worked_off_together(share)

    assert tally.violations == []
    assert tally.count == COUNT
    assert {"jpeg ready", "heic ready", "avif ready", "png unreadable_image", "gif ready"} <= set(
        tally.outcomes
    )


def test_a_mutant_is_the_same_every_time_and_mostly_another_file() -> None:
    files = [mutant(7, number) for number in range(100)]

    assert files == [mutant(7, number) for number in range(100)]
    assert len({file.data for file in files}) > 95
    assert {"jpeg", "png", "webp", "gif", "heic", "avif"} <= {file.kind for file in files}


def test_every_original_is_taken_apart_without_a_gap() -> None:
    for name, data in originals():
        outer, at = [], 0
        for piece in pieces_of(data):
            if piece.start >= at:
                outer.append(piece)
                at = piece.end
        gaps = [later.start - earlier.end for earlier, later in pairwise(outer)]
        assert set(gaps) <= {0}, name
        assert len(outer) >= 2 or kind_of(data) in {"webp", "gif"}, name
        assert repaired(data) == data or kind_of(data) == "png", name
