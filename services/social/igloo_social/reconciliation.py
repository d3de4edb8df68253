"""Walks through all stored counts in batches, and puts right what is wrong: one way for job and command."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_social.operations.drift import FIRST, GROUNDS, KINDS, next_ids, wrong_among
from igloo_social.operations.reconciliation import Found, put_right

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from igloo_social.operations.drift import Ground

LOOKED_AT_AT_ONCE: Final = 500
PUT_RIGHT_AT_ONCE: Final = 20
NAMED_IN_LOG: Final = 10

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """How the rows of one kind were found."""

    looked_at: int = 0
    wrong: int = 0
    put_right: int = 0


class Reconciliation:
    """One walk through everything: without locks where all is right, and in short transactions where not.

    A step that fails leaves the walk where it was. One that only looks changes nothing.
    """

    def __init__(self, *, only_looks: bool = False, at_once: int = LOOKED_AT_AT_ONCE) -> None:
        self.tallies: Mapping[str, Tally] = {kind: Tally() for kind in KINDS}
        self._only_looks = only_looks
        self._at_once = at_once
        self._grounds = list(GROUNDS)
        self._after = FIRST

    def step(self) -> bool:
        """Walk through the next batch; False after the last."""
        ground = self._grounds[0]
        with reading() as reader:
            ids = next_ids(reader, ground, after=self._after, limit=self._at_once)
            suspects = wrong_among(reader, ground, ids)
        self._note(ground, self._judged(ground, suspects))
        for kind in ground.wrong:
            self.tallies[kind].looked_at += len(ids)
        if len(ids) == self._at_once:
            self._after = ids[-1]
            return True
        self._grounds.pop(0)
        self._after = FIRST
        return bool(self._grounds)

    def _judged(self, ground: Ground, suspects: Mapping[str, Sequence[UUID]]) -> list[Mapping[str, Found]]:
        if self._only_looks:
            return [{kind: Found(wrong, 0) for kind, wrong in suspects.items()}]
        found, ids = [], sorted(set(chain.from_iterable(suspects.values())))
        for start in range(0, len(ids), PUT_RIGHT_AT_ONCE):
            with transaction() as session:
                some = ids[start : start + PUT_RIGHT_AT_ONCE]
                found.append(put_right(session, ground, some, now=utc_now()))
        return found

    def _note(self, ground: Ground, findings: Sequence[Mapping[str, Found]]) -> None:
        for kind in ground.wrong:
            wrong = [row_id for found in findings for row_id in found[kind].wrong]
            righted = sum(found[kind].put_right for found in findings)
            self.tallies[kind].wrong += len(wrong)
            self.tallies[kind].put_right += righted
            if wrong:
                named = [str(row_id) for row_id in wrong[:NAMED_IN_LOG]]
                logger.error(
                    "Stored counts were wrong.",
                    extra={"kind": kind, "wrong": len(wrong), "put_right": righted, "ids": named},
                )
