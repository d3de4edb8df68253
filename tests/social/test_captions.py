"""What captions hold: hashtags and mentions in every script, and nothing that only looks like one."""

import unicodedata

import pytest

from igloo_social.policies.captions import (
    MAX_MENTIONS,
    MAX_TAG_LENGTH,
    MAX_TAGS,
    folded_tag,
    hashtags_of,
    usernames_in,
)


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("No tag at all", ()),
        ("#Snow and #ice, #SNOW again", ("snow", "ice")),
        ("첫 눈! #눈토끼와 #북극", ("눈토끼와", "북극")),
        (unicodedata.normalize("NFD", "#눈토끼 #été"), ("눈토끼", "été")),
        ("\uff03\uff33\uff2e\uff2f\uff37\uff12", ("snow2",)),
        ("#snow#ice", ("snow", "ice")),
        ("(#snow) [#ice].", ("snow", "ice")),
        ("##snow", ("snow",)),
        ("#नमस्ते #สวัสดี", ("नमस्ते", "สวัสดี")),
        ("#می\u200cخواهم", ("میخواهم",)),  # noqa: RUF001 - Persian
        ("#2026 #2026년 #_ #_1 #_a", ("2026년", "_a")),
        ("#STRASSE #straße", ("strasse",)),
        ("#snow-hare #snow.hare", ("snow",)),
        ("C#minor &#39; igloo.example/#top a#b", ()),
        ("# snow #", ()),
        ("#\ufe0f\u20e3 #\u3164 #\u0301", ()),
        ("#눈\u3164 #눈\ufe0f #눈", ("눈",)),
    ],
)
def test_hashtags_are_words_of_any_script(text: str, tags: tuple[str, ...]) -> None:
    assert hashtags_of(text) == tags


@pytest.mark.parametrize(
    ("text", "usernames"),
    [
        ("Nobody", ()),
        ("@Puffin and @snow.hare, @PUFFIN again", ("puffin", "snow.hare")),
        ("눈토끼 @puffin님, @arctic_fox와", ("puffin", "arctic_fox")),
        ("\uff20arctic_fox", ("arctic_fox",)),
        ("Thanks, @puffin. And @puffin... @hare_...hello", ("puffin", "hare_")),
        ("(@puffin) “@hare” @fox!", ("puffin", "hare", "fox")),
        ("puffin@igloo.example snow.hare+x@igloo.example x-@igloo.example", ()),
        ("눈@puffin", ()),
        ("@puffin@igloo.example", ()),
        ("igloo.example/@puffin", ()),
        ("@ab @.puffin @ puffin @", ()),
        ("@" + "a" * 30 + " @" + "b" * 31, ("a" * 30,)),
    ],
)
def test_mentions_name_people_and_no_addresses(text: str, usernames: tuple[str, ...]) -> None:
    assert usernames_in(text) == usernames


def test_what_goes_beyond_the_limits_is_plain_text() -> None:
    tags = " ".join(f"#ice{number}" for number in range(MAX_TAGS + 1))
    names = " ".join(f"@hare{number}" for number in range(MAX_MENTIONS + 1))

    assert hashtags_of(f"#ice0 {tags}") == tuple(f"ice{number}" for number in range(MAX_TAGS))
    assert usernames_in(f"@hare0 {names}") == tuple(f"hare{number}" for number in range(MAX_MENTIONS))
    assert hashtags_of("#" + "눈" * MAX_TAG_LENGTH) == ("눈" * MAX_TAG_LENGTH,)
    assert hashtags_of("#" + "눈" * (MAX_TAG_LENGTH + 1)) == ()
    assert hashtags_of("#" + "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 10) == ()


@pytest.mark.parametrize(
    "word", ["", "#", "2026", "a b", "a-b", "a/b", "##snow", "눈" * 101, "\u3164", "a\0"]
)
def test_what_cannot_be_a_tag_has_no_page(word: str) -> None:
    assert folded_tag(word) is None


def test_folding_is_done_once_and_for_all() -> None:
    folded = {tag for code in range(0x20000) if (tag := folded_tag(chr(code)))}

    assert len(folded) > 40_000
    assert {tag for tag in folded if folded_tag(tag) != tag} == set()
