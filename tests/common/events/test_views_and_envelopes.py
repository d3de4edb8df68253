"""A payload is read strictly where a consumer looks, and not at all elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar, Literal
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igloo_common.consumers import Consumers
from igloo_common.event_views import UnreadablePayload, decode_view
from igloo_common.events import Envelope, Event, UnreadableEnvelope, decode_envelope, encode_envelope

NOTE = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


@dataclass(frozen=True)
class Picture:
    """A view inside of a view."""

    name: str
    width: int


@dataclass(frozen=True)
class View:
    """A view with a field of every readable kind."""

    id: UUID
    at: datetime
    kind: Literal["a", "b"]
    score: float
    seen: bool
    alt_text: str | None
    pictures: tuple[Picture, ...]
    labels: list[str]
    counts: dict[str, int]
    added_later: str = "a default"


GOOD: dict[str, Any] = {
    "id": str(NOTE),
    "at": "2026-03-01T12:30:00Z",
    "kind": "a",
    "score": 1,
    "seen": True,
    "alt_text": None,
    "pictures": [{"name": "thumb", "width": 320, "height": 320}],
    "labels": ["x"],
    "counts": {"likes": 2},
    "nobody_reads_this": {"deep": [1, 2]},
}


def test_a_view_is_filled_with_what_it_names() -> None:
    assert decode_view(View, GOOD) == View(
        id=NOTE,
        at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
        kind="a",
        score=1.0,
        seen=True,
        alt_text=None,
        pictures=(Picture("thumb", 320),),
        labels=["x"],
        counts={"likes": 2},
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "not-a-uuid"),
        ("id", 7),
        ("at", "2026-03-01T12:30:00"),
        ("at", "yesterday"),
        ("kind", "c"),
        ("score", "1"),
        ("score", True),
        ("seen", 1),
        ("alt_text", 5),
        ("pictures", {}),
        ("pictures", [{"name": "thumb"}]),
        ("pictures", [{"name": "thumb", "width": True}]),
        ("labels", [None]),
        ("counts", {"likes": "many"}),
        ("counts", []),
    ],
)
def test_a_value_of_another_kind_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    with pytest.raises(UnreadablePayload, match=f"^{field}"):
        decode_view(View, GOOD | {field: value})


@pytest.mark.parametrize("field", [name for name in GOOD if name != "nobody_reads_this"])
def test_a_missing_field_is_refused_by_name_unless_it_has_a_default(field: str) -> None:
    with pytest.raises(UnreadablePayload, match=f"{field} is missing"):
        decode_view(View, {name: value for name, value in GOOD.items() if name != field})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_no_json_at_all_makes_a_view_fail_in_another_way(value: object) -> None:
    with pytest.raises(UnreadablePayload):
        decode_view(View, value)


def test_a_view_of_an_unreadable_type_is_a_mistake_of_ours() -> None:
    @dataclass(frozen=True)
    class Odd:
        field: bytes

    with pytest.raises(TypeError, match="bytes"):
        decode_view(Odd, {"field": "x"})


def envelope(**changes: object) -> Envelope:
    values: dict[str, Any] = {
        "id": NOTE,
        "type": "auth.note.written.v1",
        "key": "note:1",
        "sequence": 3,
        "time": datetime(2026, 3, 1, 13, 30, tzinfo=timezone(timedelta(hours=1))),
        "traceparent": None,
        "data": b'{"text":"hi"}',
    }
    return Envelope(**(values | changes))


def test_an_envelope_is_a_cloudevent() -> None:
    assert orjson.loads(encode_envelope(envelope(traceparent="00-1-2-03"), source="/igloo/auth")) == {
        "specversion": "1.0",
        "id": str(NOTE),
        "source": "/igloo/auth",
        "type": "auth.note.written.v1",
        "subject": "note:1",
        "time": "2026-03-01T13:30:00+01:00",
        "datacontenttype": "application/json",
        "sequence": 3,
        "traceparent": "00-1-2-03",
        "data": {"text": "hi"},
    }


def test_an_envelope_comes_back_as_it_went() -> None:
    read = decode_envelope(encode_envelope(envelope(), source="/igloo/auth"))
    assert read == envelope(data={"text": "hi"})


@pytest.mark.parametrize(
    "change",
    [
        {"specversion": "2.0"},
        {"id": "x"},
        {"type": 1},
        {"subject": ""},
        {"sequence": "3"},
        {"sequence": 2**63},
        {"sequence": True},
        {"time": "2026-03-01T13:30:00"},
        {"data": []},
        {"traceparent": 5},
    ],
)
def test_what_is_no_envelope_of_ours_is_refused(change: dict[str, object]) -> None:
    fields = orjson.loads(encode_envelope(envelope(), source="/igloo/auth"))
    with pytest.raises(UnreadableEnvelope):
        decode_envelope(orjson.dumps(fields | change))


@given(st.binary(max_size=64))
def test_no_bytes_make_an_envelope_fail_in_another_way(body: bytes) -> None:
    with pytest.raises(UnreadableEnvelope):
        decode_envelope(body)


@pytest.mark.parametrize("name", ["", "note", "auth.note.v1", "Auth.note.written.v1", "auth.note.written"])
def test_an_event_type_follows_the_naming_rule(name: str) -> None:
    with pytest.raises(TypeError, match="must look like"):
        type("Odd", (Event,), {"type": name})


def test_a_register_has_one_handler_a_type_and_reads_into_dataclasses() -> None:
    register = Consumers("social")
    register.on("auth.note.written.v1", Picture)(lambda *_: None)
    with pytest.raises(ValueError, match="has a handler already"):
        register.on("auth.note.written.v1", Picture)
    with pytest.raises(TypeError, match="must be a dataclass"):
        register.on("auth.note.burnt.v1", dict)


def test_event_types_are_class_variables() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Painted(Event):
        type: ClassVar[str] = "auth.note.painted.v1"
        note_id: UUID

        @property
        def aggregate_key(self) -> str:
            return f"note:{self.note_id}"

    assert Painted(note_id=NOTE).aggregate_key == f"note:{NOTE}"
