from __future__ import annotations

import re

import pytest

from igloo_common.tracing import continued_trace, current_trace, current_traceparent, start_trace

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = f"00-{TRACE_ID}-{SPAN_ID}-01"


def test_a_trace_goes_on_under_a_step_of_its_own() -> None:
    with continued_trace(GIVEN) as trace:
        onward = current_traceparent()

    assert trace.trace_id == TRACE_ID
    assert onward is not None
    assert re.fullmatch(rf"00-{TRACE_ID}-[0-9a-f]{{16}}-01", onward)
    assert SPAN_ID not in onward


def test_a_sampling_decision_is_kept() -> None:
    with continued_trace(GIVEN[:-2] + "00") as trace:
        assert trace.traceparent.endswith("-00")


def test_a_later_version_is_read_by_what_is_known_of_it() -> None:
    with continued_trace(f"01-{TRACE_ID}-{SPAN_ID}-01-more") as trace:
        assert trace.trace_id == TRACE_ID


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "nonsense",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        GIVEN.upper(),
        GIVEN + "\n",
        "x" * 10_000,
    ],
)
def test_without_a_valid_one_a_trace_begins(given: str | None) -> None:
    with continued_trace(given) as trace:
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", trace.traceparent)
        assert trace.trace_id != TRACE_ID


def test_after_a_delivery_the_thread_works_for_no_trace() -> None:
    with continued_trace(None) as outer:
        with continued_trace(GIVEN):
            assert current_trace() != outer
        assert current_trace() == outer


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-123", True), ("a" * 128, True), ("a" * 129, False), ("a b", False), ("", False), ("a\nb", False)],
)
def test_a_request_id_is_kept_when_it_is_harmless(given: str, kept: bool) -> None:
    trace = start_trace(request_id=given)

    assert (trace.request_id == given) is kept
    assert trace.request_id
