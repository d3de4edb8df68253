"""Finding people by what somebody types of their names."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, add_noise, make_person, relate
from factories.tokens import bearer
from igloo_social.models.profiles import PROFILES
from igloo_social.operations.erasure import bury_person
from igloo_social.operations.profiles import ProfileEdit, edit_profile


def named(session: Session, username: str, display_name: str = "Somebody", **more: object) -> UUID:
    return make_person(session, username=username, display_name=display_name, **more)


def search(client: FlaskClient, typed: str, viewer: UUID | None = None, **more: object) -> list[str]:
    headers = {} if viewer is None else bearer(viewer)
    reply = client.get("/v1/users", query_string={"q": typed, **more}, headers=headers)
    assert reply.status_code == 200, reply.text
    assert reply.get_json()["page"] == {"next_cursor": None, "prev_cursor": None}
    return [person["username"] for person in reply.get_json()["data"]]


@pytest.fixture
def arctic(session: Session) -> UUID:
    """Make a small town, and somebody in it who looks round."""
    viewer = named(session, "viewer", "Ringed Seal")
    named(session, "snow.hare", "Lepus")
    named(session, "hare", "Mountain")
    named(session, "hare.kim", "북극토끼")
    named(session, "white", "Hare of the Snow")
    named(session, "lepus", "Arctic Hare")
    named(session, "nuntokki", "눈토끼")
    named(session, "kim", "김하늘")
    named(session, "ivory_gull", "Élan Måke")
    named(session, "auk", "Ａｔｌａｎｔｉｃ Puffin 🐧")  # noqa: RUF001 - full-width on purpose
    named(session, "fox", "ثعلب قطبي")
    add_noise(session, viewer)
    session.commit()
    return viewer


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        # The exact username, usernames that begin so, names that do, later words, and what is like it.
        ("hare", ["hare", "hare.kim", "white", "lepus", "snow.hare"]),
        ("@HARE ", ["hare", "hare.kim", "white", "lepus", "snow.hare"]),
        ("hare.k", ["hare.kim", "hare", "snow.hare", "lepus", "white"]),
        ("snow.h", ["snow.hare", "white"]),
        ("hare of", ["white", "hare", "hare.kim", "snow.hare", "lepus"]),
        ("of the s", ["white"]),
        ("눈토끼", ["nuntokki"]),
        ("눈", ["nuntokki"]),
        ("토끼", ["hare.kim", "nuntokki"]),
        ("눈토깨", ["nuntokki"]),
        ("\u1102\u116e\u11ab\u1110\u1169", ["nuntokki"]),  # typed in single jamo
        ("하늘", ["kim"]),
        ("elan", ["ivory_gull"]),
        ("ÉLAN", ["ivory_gull"]),
        ("make", ["ivory_gull"]),
        ("atlantic p", ["auk"]),
        ("pufin", ["auk"]),
        ("قطبي", ["fox"]),
        ("ivory_", ["ivory_gull"]),
        ("ivorygull", ["ivory_gull"]),
        ("%", []),
        ("_", []),
        ("ha_e", []),
        ("h%", ["white", "lepus"]),
        ("\\", []),
        ("!?", []),
        ("🐧", []),
        ("walrus", []),
        ("\U0010ffff", []),
    ],
)
def test_people_are_found_in_order(client: FlaskClient, arctic: UUID, typed: str, found: list[str]) -> None:
    assert search(client, typed) == found
    assert search(client, typed, arctic) == found


def test_a_person_who_was_found_is_shown_in_short(client: FlaskClient, session: Session) -> None:
    person = named(
        session, "hare", "Snow Hare", avatar_url="https://a.test/1.jpg", bio="Ice", is_private=True
    )
    session.commit()

    (found,) = client.get("/v1/users?q=hare", headers=bearer(person)).get_json()["data"]

    assert found == {
        "id": str(person),
        "username": "hare",
        "display_name": "Snow Hare",
        "avatar_url": "https://a.test/1.jpg",
    }


def test_whom_the_viewer_follows_comes_first_among_equals(client: FlaskClient, session: Session) -> None:
    viewer, *others = (named(session, name, "Puffin") for name in ("viewer", "auk_a", "auk_b", "auk_c"))
    exact = named(session, "auk")
    relate(session, viewer, "f", others[1])
    relate(session, viewer, "m", others[2])
    relate(session, others[2], "f", viewer)
    session.commit()

    assert search(client, "auk", viewer) == ["auk", "auk_b", "auk_a", "auk_c"]
    assert search(client, "auk", exact) == ["auk", "auk_a", "auk_b", "auk_c"]
    assert search(client, "pufin", viewer) == ["auk_b", "auk_a", "auk_c", "viewer"]


@pytest.mark.parametrize("typed", ["hare", "snow", "snw hare"])
def test_the_blocked_the_deleted_and_the_suspended_are_not_found(
    client: FlaskClient, session: Session, typed: str
) -> None:
    viewer = named(session, "viewer")
    blocked, blocking, gone, held, _ = (named(session, f"hare{n}", "Snow Hare") for n in range(5))
    relate(session, viewer, "b", blocked)
    relate(session, blocking, "b", viewer)
    bury_person(session, user_id=gone, now=LONG_AGO)
    session.execute(update(PROFILES).where(PROFILES.c.user_id == held).values(suspended_at=LONG_AGO))
    session.commit()

    assert search(client, typed, viewer) == ["hare4"]
    assert search(client, typed) == ["hare0", "hare1", "hare4"]
    assert search(client, typed, blocking) == ["hare0", "hare1", "hare4"]

    session.execute(update(PROFILES).where(PROFILES.c.user_id == held).values(suspended_at=None))
    session.commit()
    assert search(client, typed, viewer) == ["hare3", "hare4"]


def test_a_changed_name_is_found_and_the_old_one_no_more(client: FlaskClient, session: Session) -> None:
    person = named(session, "hare", "Snow Hare")
    session.commit()
    edit = ProfileEdit(username="puffin", display_name="Sea Parrot")

    edit_profile(session, user_id=person, edit=edit, expected_versions=None, now=LONG_AGO)
    session.commit()

    for typed in ("puffin", "parrot"):
        assert search(client, typed) == ["puffin"]
    for typed in ("hare", "snow"):
        assert search(client, typed) == []


def test_what_is_found_is_no_more_than_asked_for(client: FlaskClient, session: Session) -> None:
    for number in range(60):
        named(session, f"hare{number:02}", "눈토끼" if number % 2 else "Puffin")
    session.commit()

    assert search(client, "hare") == [f"hare{number:02}" for number in range(20)]
    assert len(search(client, "hare", limit=50)) == 50
    assert len(search(client, "토끼", limit=50)) == 30
    assert len(search(client, "hare3x", limit=7)) == 7


def test_a_name_of_many_words_or_wide_letters_fits(client: FlaskClient, session: Session) -> None:
    named(session, "words", "a b c d e f g h i j k l m n o p q r s t u v w x y")
    named(session, "wide", "\ufdfa" * 50)
    session.commit()

    assert search(client, "p q") == ["words"]
    rows = session.execute(text("SELECT count(*), max(length(name)) FROM search_names")).one()
    assert rows[0] <= 2 * 17
    assert rows[1] <= 50


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("", "/q", "one_of_both"),
        ("q=hare&username=hare", "/q", "one_of_both"),
        ("q=", "/q", "invalid_length"),
        ("q=%20", "/q", "invalid_length"),
        ("q=@", "/q", "invalid_length"),
        ("q=" + "x" * 51, "/q", "invalid_length"),
        ("q=a%00", "/q", "null_character"),
        ("q=a%E2%80%AEb", "/q", "forbidden_character"),
        ("q=%E3%85%A4", "/q", "invisible_text"),
        ("q=hare&limit=51", "/limit", "out_of_range"),
        ("q=hare&limit=0", "/limit", "out_of_range"),
        ("q=hare&limit=1e3", "/limit", "invalid_type"),
        ("q=hare&limit=" + "9" * 5000, "/limit", "invalid_type"),
        ("username=" + "x" * 31, "/username", "invalid_length"),
    ],
)
def test_a_bad_search_is_refused_with_a_pointer(
    client: FlaskClient, query: str, pointer: str, code: str
) -> None:
    reply = client.get(f"/v1/users?{query}")

    assert reply.status_code == 422
    assert (pointer, code) in [(error["pointer"], error["code"]) for error in reply.get_json()["errors"]]


def test_what_is_no_text_finds_nobody_and_breaks_nothing(client: FlaskClient, arctic: UUID) -> None:
    for query in (b"%ff%fe", b"%ed%a0%80", "a" * 50, "'%3B--", "(((((", "%5B%5E%5D"):
        assert (
            client.get(f"/v1/users?q={query if isinstance(query, str) else query.decode()}").status_code
            == 200
        )
