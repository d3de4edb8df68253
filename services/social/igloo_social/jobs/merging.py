"""The lane that has the posts of popular accounts merged into feeds at reading."""

from __future__ import annotations

from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_social.operations.merging import FIRST, flag_follows, mark_popular


class MergingLane:
    """Marks accounts that have passed the threshold, and flags the follows that they had before.

    What is marked and flagged stands in the tables: a worker that dies leaves the rest to the next, which
    begins its walk anew.
    """

    def __init__(self, threshold: int) -> None:
        self._threshold = threshold
        self._after = FIRST

    def step(self) -> bool:
        """Flag a batch of follows; when there are none, look at the next people. False after the last."""
        with transaction() as session:
            if flag_follows(session, now=utc_now()):
                return True
        with transaction() as session:
            self._after = mark_popular(session, threshold=self._threshold, after=self._after)
        return False
