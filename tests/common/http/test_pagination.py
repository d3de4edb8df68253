from __future__ import annotations

import base64
import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from factories.sample_service import sample_app, sample_settings
from igloo_common.ids import new_id
from igloo_common.pagination import (
    Cursor,
    Direction,
    InvalidCursor,
    Neighbours,
    Position,
    decode_cursor,
    encode_cursor,
    neighbours,
    page_response,
)

AT = datetime(2026, 2, 3, 4, 5, 6, 789_123, tzinfo=UTC)
SCOPE = "feed:me"


@pytest.fixture(scope="module")
def app() -> Flask:
    return sample_app()


@pytest.fixture(autouse=True)
def _context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.mark.parametrize("direction", ["older", "newer"])
@pytest.mark.parametrize(
    "at",
    [
        AT,
        AT.replace(microsecond=1),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
    ],
)
def test_a_cursor_comes_back_to_the_microsecond(at: datetime, direction: Direction) -> None:
    cursor = Cursor(at, new_id(), direction)

    assert decode_cursor(encode_cursor(cursor, scope=SCOPE), scope=SCOPE) == cursor


def test_a_time_in_another_zone_is_the_same_time() -> None:
    cursor = Cursor(AT.astimezone(timezone(timedelta(hours=9))), new_id(), "older")

    assert decode_cursor(encode_cursor(cursor, scope=SCOPE), scope=SCOPE).at == AT


def test_a_cursor_is_text_that_fits_into_an_address() -> None:
    cursor = encode_cursor(Cursor(AT, new_id(), "older"), scope=SCOPE)

    assert set(cursor) <= set(string.ascii_letters + string.digits + "-_")


def test_a_cursor_tells_nobody_at_which_row_it_stands() -> None:
    cursor = Cursor(AT, new_id(), "older")

    raw = base64.urlsafe_b64decode(encode_cursor(cursor, scope=SCOPE))

    assert cursor.id.bytes not in raw
    micros = (AT - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert micros.to_bytes(8, "big") not in raw


@pytest.mark.parametrize("scope", ["feed:you", "feed:", "", "feed:me "])
def test_a_cursor_of_another_scope_is_refused(scope: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(encode_cursor(Cursor(AT, new_id(), "older"), scope=SCOPE), scope=scope)


def test_a_cursor_signed_with_another_secret_is_refused() -> None:
    other = sample_app(sample_settings(SECRET_KEY="another-secret-key-of-enough-length"))
    with other.app_context():
        text = encode_cursor(Cursor(AT, new_id(), "older"), scope=SCOPE)

    with pytest.raises(InvalidCursor):
        decode_cursor(text, scope=SCOPE)


def test_a_cursor_with_any_bit_changed_is_refused() -> None:
    raw = base64.urlsafe_b64decode(encode_cursor(Cursor(AT, new_id(), "older"), scope=SCOPE))

    for place in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(InvalidCursor):
            decode_cursor(base64.urlsafe_b64encode(bytes(changed)).decode(), scope=SCOPE)


@pytest.mark.parametrize("change", ["{}=", "{} ", " {}", "{}A", "{}\n", "{:.55}", "{}{}"])
def test_a_cursor_with_anything_around_it_is_refused(change: str) -> None:
    text = encode_cursor(Cursor(AT, new_id(), "older"), scope=SCOPE)

    with pytest.raises(InvalidCursor):
        decode_cursor(change.format(text, text), scope=SCOPE)


@given(st.text(max_size=80))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(text, scope=SCOPE)


def test_over_http_a_bad_cursor_is_400(app: Flask) -> None:
    reply = app.test_client().get("/v1/notes?cursor=nonsense")

    assert (reply.status_code, (reply.json or {})["code"]) == (400, "invalid_cursor")


def positions(count: int) -> list[Position]:
    return [(AT - timedelta(seconds=n), new_id()) for n in range(count)]


def test_the_first_page_leads_both_ways() -> None:
    rows = positions(3)

    around = neighbours(rows, asked=None, more=True)

    assert around == Neighbours(next=Cursor(*rows[-1], "older"), prev=Cursor(*rows[0], "newer"))


def test_the_last_page_leads_to_newer_rows_alone() -> None:
    rows = positions(2)

    around = neighbours(rows, asked=Cursor(AT, new_id(), "older"), more=False)

    assert around == Neighbours(next=None, prev=Cursor(*rows[0], "newer"))


def test_a_page_of_newer_rows_leads_back_to_the_older_ones() -> None:
    rows = positions(2)

    around = neighbours(rows, asked=Cursor(AT, new_id(), "newer"), more=False)

    assert around == Neighbours(next=Cursor(*rows[-1], "older"), prev=Cursor(*rows[0], "newer"))


def test_where_nothing_is_newer_yet_the_same_question_may_be_asked_again() -> None:
    asked = Cursor(AT, new_id(), "newer")

    around = neighbours([], asked=asked, more=False)

    assert around == Neighbours(next=Cursor(asked.at, asked.id, "older"), prev=asked)


def test_past_the_end_there_is_only_the_way_back() -> None:
    asked = Cursor(AT, new_id(), "older")

    around = neighbours([], asked=asked, more=False)

    assert around == Neighbours(next=None, prev=Cursor(asked.at, asked.id, "newer"))


def test_an_empty_list_leads_nowhere() -> None:
    assert neighbours([], asked=None, more=False) == Neighbours(next=None, prev=None)


def test_a_page_has_its_cursors_in_the_body_and_in_links(app: Flask) -> None:
    around = neighbours(positions(2), asked=None, more=True)

    with app.test_request_context("/v1/notes?limit=2&q=a%26b&cursor=old"):
        reply = page_response([{"id": 1}], scope=SCOPE, around=around)

    page = (reply.json or {})["page"]
    assert (reply.json or {})["data"] == [{"id": 1}]
    assert decode_cursor(page["next_cursor"], scope=SCOPE) == around.next
    links = {rel: address for address, rel in (x.split("; ") for x in reply.headers["Link"].split(", "))}
    for rel, name in (("next", "next_cursor"), ("prev", "prev_cursor")):
        address = urlsplit(links[f'rel="{rel}"'].strip("<>"))
        assert address.path == "/v1/notes"
        assert parse_qs(address.query) == {"limit": ["2"], "q": ["a&b"], "cursor": [page[name]]}


def test_a_page_without_neighbours_has_no_links(app: Flask) -> None:
    with app.test_request_context("/v1/notes"):
        reply = page_response([], scope=SCOPE, around=Neighbours(next=None, prev=None))

    assert (reply.json or {})["page"] == {"next_cursor": None, "prev_cursor": None}
    assert "Link" not in reply.headers
