"""What people may write, in all scripts and against all tricks."""

import pytest
from marshmallow import Schema, ValidationError, validate

from igloo_common.field_errors import field_errors
from igloo_common.text_fields import Text
from igloo_common.texts import MAX_MARKS, cleaned, composed, problem_with

ACUTE = "\u0301"


class NoteSchema(Schema):
    """A line that has to be, and lines that may be empty."""

    title = Text(validate=validate.Length(min=1, max=10))
    body = Text(lines=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Snow Hare",
        "눈토끼",
        "\u1112\u1161\u11ab\u1100\u1173\u11af",  # Korean in single jamo
        "ㅋㅋㅋ",
        "ที่นี่หิมะตก",
        "السَّلَامُ عَلَيْكُمْ",
        "שָׁלוֹם",
        "हिन्दी",
        "བསྒྲུབས",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian parts letters by a non-joiner
        "👩‍👩‍👧‍👦 👍🏽 ❤️ 1️⃣ 🏳️‍🌈",
        "🇰🇷🇳🇴",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # tags of a flag
        "\U0001fae8",  # an emoji that is newer than this Python's tables
        "q" + "\u0323" * MAX_MARKS,
        "x\u200f",
    ],
)
def test_every_script_and_emoji_may_be_written(text: str) -> None:
    assert problem_with(composed(text)) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("bell\x07", "forbidden_character"),
        ("nul\x00", "forbidden_character"),
        ("next\x85line", "forbidden_character"),
        ("tab\tulator", "forbidden_character"),
        ("carriage\rreturn", "forbidden_character"),
        ("half\ud800", "forbidden_character"),
        ("Hare\u202enimda", "forbidden_character"),
        ("Hare\u2067nimda", "forbidden_character"),
        ("a\ufff9b", "forbidden_character"),
        ("two\nlines", "forbidden_character"),
        ("two\u2028lines", "forbidden_character"),
        ("q" + "\u0323" * (MAX_MARKS + 1), "too_many_marks"),
        ("q" + "\u0323\u200d" * (MAX_MARKS + 1), "too_many_marks"),
        ("hare " + "k" + "\u0489" * 40, "too_many_marks"),
    ],
)
def test_what_misleads_is_refused(text: str, code: str) -> None:
    problem = problem_with(composed(text))

    assert problem is not None
    assert problem[0] == code


@pytest.mark.parametrize(
    "character",
    [
        "\u200b",
        "\u200d",
        "\u2060",
        "\ufeff",
        "\u00ad",
        "\u034f",
        "\u115f",
        "\u1160",
        "\u17b4",
        "\u180e",
        "\u2800",
        "\u3164",
        "\uffa0",
        "\ufe0f",
        "\u200f",
        "\U000e0041",
        "\U000e0100",
        "\U0001d159",
        ACUTE,
    ],
)
def test_a_text_of_which_nothing_is_seen_is_refused(character: str) -> None:
    for text in (character, f"{character} {character}", f"\u3164{character}"):
        assert (problem_with(composed(text)) or ("fine",))[0] == "invisible_text"
    assert problem_with(composed(f"Hare{character}")) is None


def test_lines_may_stand_where_several_may() -> None:
    text = composed("one\r\ntwo\u2028three\n")

    assert text == "one\ntwo\nthree"
    assert problem_with(text, lines=True) is None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (f" Hare{ACUTE}\x00 \u202ePuffin\n", "Har\u00e9 Puffin"),
        ("Arctic\nFox", "Arctic Fox"),
        ("\u3164\u200b", ""),
        ("\ud800눈토끼", "눈토끼"),
        ("q" + "\u0323" * 30, composed("q" + "\u0323" * MAX_MARKS)),
    ],
)
def test_a_name_of_another_system_becomes_one_that_may_be_written(given: str, name: str) -> None:
    assert cleaned(given) == name
    assert problem_with(name) is None


def test_the_field_stores_the_composed_text() -> None:
    assert NoteSchema().load({"title": f" Hare{ACUTE} ", "body": "a\r\nb"}) == {
        "title": "Har\u00e9",
        "body": "a\nb",
    }


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"title": "a\nb"}, "/title", "forbidden_character"),
        ({"title": "\u3164"}, "/title", "invisible_text"),
        ({"title": "  "}, "/title", "invalid_length"),
        ({"title": "x" * 11}, "/title", "invalid_length"),
        ({"body": "q" + "\u0323" * 20}, "/body", "too_many_marks"),
        ({"body": 5}, "/body", "invalid_type"),
        ({"body": ["a"]}, "/body", "invalid_type"),
        ({"body": None}, "/body", "null_not_allowed"),
    ],
)
def test_the_field_refuses_by_name(given: dict[str, object], pointer: str, code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        NoteSchema().load(given)

    assert [(entry.pointer, entry.code) for entry in field_errors(refusal.value.messages)] == [
        (pointer, code)
    ]
