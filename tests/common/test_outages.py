"""How long a server that is out is left alone."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from igloo_common.outages import Outage


@dataclass
class Clock:
    """A clock that a test moves."""

    seconds: float = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outage(clock: Clock) -> Outage:
    return Outage(longest_seconds=30.0, now=clock)


def test_one_failure_is_no_outage(outage: Outage) -> None:
    assert outage.note_failure() == 0.0

    assert not outage.is_on


def test_pauses_double_up_to_the_longest(outage: Outage, clock: Clock) -> None:
    outage.note_failure()
    pauses = []
    for _ in range(8):
        pauses.append(outage.note_failure())
        assert outage.is_on
        clock.seconds += pauses[-1]
        assert not outage.is_on

    assert 1.0 <= pauses[0] <= 2.0
    assert 4.0 <= pauses[2] <= 8.0
    assert all(15.0 <= pause <= 30.0 for pause in pauses[4:])


def test_those_who_fail_together_fail_once(outage: Outage) -> None:
    outage.note_failure()
    first = outage.note_failure()

    for _ in range(20):
        assert outage.note_failure() == first


def test_a_server_that_asks_for_patience_gets_it_within_bounds(clock: Clock) -> None:
    usual, patient = (Outage(longest_seconds=30.0, now=clock) for _ in range(2))
    usual.note_failure()
    patient.note_failure()

    assert patient.note_failure(patience=4.0) >= 4.0
    assert usual.note_failure() <= 2.0
    for _ in range(6):
        clock.seconds += 60.0
        assert patient.note_failure(patience=4.0) <= 30.0


def test_a_success_ends_it(outage: Outage) -> None:
    outage.note_failure()
    outage.note_failure()

    outage.note_success()

    assert not outage.is_on
    assert outage.note_failure() == 0.0


def test_a_failure_that_is_sure_is_not_forgiven(clock: Clock) -> None:
    sure = Outage(longest_seconds=5.0, forgiven=0, now=clock)

    assert 1.0 <= sure.note_failure() <= 2.0
    assert sure.is_on
