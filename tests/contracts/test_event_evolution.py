"""Two releases run side by side while one replaces the other, and understand each other's events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from factories.event_archive import (
    Released,
    broken_promises,
    consumers_of,
    published,
    released,
    shape_of,
    view_of,
)
from factories.events import data_of, samples_of
from igloo_common.event_views import UnreadablePayload, decode_view

RELEASED = released()
every_event = pytest.mark.parametrize("event", RELEASED, ids=lambda event: event.type)


def test_the_archive_knows_who_read_what() -> None:
    assert len(RELEASED) > 15
    assert all(event.samples for event in RELEASED)
    assert sum(len(event.read_by) for event in RELEASED) > 20


@every_event
def test_todays_readers_take_what_the_last_release_published(event: Released) -> None:
    for service in event.read_by:
        subscription = consumers_of(service).subscriptions.get(event.type)
        assert subscription is not None, (
            f"{service} does not read {event.type} any more, which the last release still publishes: keep the"
            " handler for one release after the publisher has stopped."
        )
        for sample in event.samples:
            decode_view(subscription.view, sample)


@every_event
def test_what_is_published_today_fills_the_views_of_the_last_release(event: Released) -> None:
    today = published().get(event.type)
    if today is None:
        assert not event.read_by, f"{event.type} is gone, and {', '.join(event.read_by)} still read it."
        return
    for shape in event.read_by.values():
        for sample in samples_of(today):
            decode_view(view_of(shape), data_of(sample))


@every_event
def test_no_field_of_a_released_event_is_taken_away_or_becomes_another(event: Released) -> None:
    today = published().get(event.type)
    if today is not None:
        assert list(broken_promises(event.type, event.shape, shape_of(today))) == []


@dataclass(frozen=True)
class Egg:
    """A part of what was released."""

    colour: str


@dataclass(frozen=True)
class Nest:
    """What was released."""

    nest_id: UUID
    eggs: tuple[Egg, ...]
    warmed_by: str | None = None


@dataclass(frozen=True)
class SpottedEgg:
    """An egg of which more is said."""

    colour: str
    spots: int


@dataclass(frozen=True)
class LargerNest:
    """The same with more in it."""

    nest_id: UUID
    eggs: tuple[SpottedEgg, ...]
    warmed_by: str | None = None
    height: int = 0


@dataclass(frozen=True)
class OtherNest:
    """Another thing under the same name."""

    nest_id: int
    eggs: tuple[UUID, ...]


def test_what_is_added_breaks_no_promise_and_what_goes_or_changes_says_what_to_do_instead() -> None:
    kind = "rock.nest.built.v1"
    assert list(broken_promises(kind, shape_of(Nest), shape_of(LargerNest))) == []

    broken = list(broken_promises(kind, shape_of(Nest), shape_of(OtherNest)))

    assert [message.split(": ")[1].split(".")[0] for message in broken] == [
        "the field nest_id was UUID and is int",
        "the field eggs was {'object'",
        "the field warmed_by is gone",
    ]
    assert all("publish rock.nest.built.v2 beside it" in message for message in broken)


@pytest.mark.parametrize(
    ("data", "is_filled"),
    [
        ({"nest_id": str(UUID(int=1)), "eggs": [{"colour": "blue", "spots": 1}]}, True),
        ({"nest_id": str(UUID(int=1)), "eggs": [{}]}, False),
        ({"nest_id": 1, "eggs": []}, False),
    ],
)
def test_a_view_from_the_archive_reads_as_the_original_did(data: dict[str, Any], is_filled: bool) -> None:
    view = view_of(shape_of(Nest))
    if is_filled:
        assert decode_view(view, data).eggs[0].colour == "blue"
    else:
        with pytest.raises(UnreadablePayload):
            decode_view(view, data)
