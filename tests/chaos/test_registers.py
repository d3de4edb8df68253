"""The rule of registers allows what some order of the writes leaves behind, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import permutations, product

from hypothesis import given
from hypothesis import strategies as st

from chaos.model.registers import EFFECT_BOUND_SECONDS, Write, is_certainly, possible_values

INITIAL = "initial"


@st.composite
def histories(draw: st.DrawFn) -> Sequence[Write[str]]:
    """Draw up to five writes of values of their own, acknowledged, unanswered or refused."""
    made = []
    for number in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, 8))
        length, end = draw(st.integers(1, 6)), draw(st.sampled_from(["told", "silent", "refused"]))
        # No two of the moments that are compared are the same, as on a real clock.
        write = Write(value=f"value {number % 3}", start=start + number / 10, latest=start + length + 0.05)
        write.acknowledged, write.refused = end == "told", end == "refused"
        made.append(write)
    return made


def orders(writes: Sequence[Write[str]]) -> Iterator[Sequence[Write[str]]]:
    """Yield each order in which some or none of the unanswered, and all of the others, can have taken effect.

    An order is possible when moments can be found that rise along it: each takes the earliest it can.
    """
    effective = [write for write in writes if not write.refused]
    for chosen in product([True, False], repeat=len(effective)):
        done = [write for write, is_done in zip(effective, chosen, strict=True) if is_done]
        if all(write in done for write in effective if write.acknowledged):
            for order in permutations(done):
                moment = -math.inf
                for write in order:
                    moment = max(moment, write.start)
                    if moment > write.latest:
                        break
                else:
                    yield order


@given(histories())
def test_the_rule_agrees_with_every_order_that_there_is(writes: Sequence[Write[str]]) -> None:
    by_orders = {order[-1].value if order else INITIAL for order in orders(writes)}

    assert set(possible_values(writes, initial=INITIAL)) == by_orders


@given(histories(), st.integers(0, 15), st.integers(0, 5))
def test_what_stood_during_a_span_is_among_what_may_have_stood(
    writes: Sequence[Write[str]], since: int, length: int
) -> None:
    until = since + length
    possible = possible_values(writes, initial=INITIAL, since=since, until=until)
    by_then = [write for write in writes if write.start <= until]

    assert set(possible_values(by_then, initial=INITIAL)) <= set(possible)


def told(value: bool, *, start: float, end: float) -> Write[bool]:
    write = Write.begun(value, at=start)
    write.acknowledge(at=end)
    return write


def test_the_last_of_two_that_were_told_one_after_the_other_holds() -> None:
    follow, unfollow = told(True, start=0, end=1), told(False, start=2, end=3)

    assert is_certainly(False, [follow, unfollow], initial=False)


def test_a_request_without_an_answer_may_overtake_what_is_told_later() -> None:
    lost, unfollow = Write.begun(True, at=0), told(False, start=2, end=3)

    assert set(possible_values([lost, unfollow], initial=False)) == {True, False}


def test_a_request_without_an_answer_is_no_excuse_for_ever() -> None:
    lost = Write.begun(True, at=0)
    unfollow = told(False, start=EFFECT_BOUND_SECONDS + 1, end=EFFECT_BOUND_SECONDS + 2)

    assert is_certainly(False, [lost, unfollow], initial=False)


def test_a_refused_request_leaves_everything_as_it_was() -> None:
    refused = Write.begun(True, at=0)
    refused.refuse()

    assert is_certainly(False, [refused], initial=False)


def test_while_a_write_is_on_its_way_both_values_may_be_seen() -> None:
    block = told(True, start=1, end=5)

    assert set(possible_values([block], initial=False, since=2, until=3)) == {True, False}
    assert set(possible_values([block], initial=False, since=6, until=7)) == {True}
    assert set(possible_values([block], initial=False, since=0, until=0.5)) == {False}
