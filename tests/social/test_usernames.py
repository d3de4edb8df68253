import re
from itertools import islice
from uuid import UUID

import pytest

from igloo_common.ids import new_id
from igloo_social.policies import usernames

FORM = re.compile(r"[a-z0-9_.]{3,30}")


@pytest.mark.parametrize(
    "username", ["abc", "a.b", "snow_hare", "x" * 30, "2024", "__a", "feeder", "me2u", "igloo_hare"]
)
def test_a_wellformed_username_can_be_chosen(username: str) -> None:
    assert usernames.problem_with(username) is None


@pytest.mark.parametrize(
    "username",
    [
        "ab",
        "x" * 31,
        "Hare",
        "hare kim",
        "북극토끼",
        "hare-kim",
        "a..b",
        ".abc",
        "abc.",
        "abc\n",
        "á_b",
        "٣٣٣",
        "\uff48\uff41\uff52\uff45",
        "h\u0430re",
        "hare\u202ekim",
        "hare\u200b",
        "hare\x00",
        "___",
        "_._",
        "",
    ],
)
def test_a_malformed_username_cannot(username: str) -> None:
    problem = usernames.problem_with(username)

    assert problem is not None
    assert problem[0] == "username_malformed"


@pytest.mark.parametrize(
    "username",
    [
        "admin",
        "igloo",
        "me_",
        "_me_",
        "m.e",
        "_admin_",
        "ad.min",
        "a_d_m_i_n",
        "adm1n",
        "admln",
        "supp0rt",
        "igloo.team",
        "iglooteam",
        "1gl00_team",
        "igloo_support",
        "official.igloo",
        "username",
    ],
)
def test_a_reserved_word_cannot_be_chosen_even_in_disguise(username: str) -> None:
    assert (usernames.problem_with(username) or ("fine",))[0] == "username_reserved"


def test_usernames_that_differ_in_case_are_the_same() -> None:
    assert usernames.normalised(" HaRe ") == "hare"


@pytest.mark.parametrize(
    "username", ["\u212aim", "\u0130gloo", "\uff28\uff21\uff32\uff25", "hare\n", "\u3000hare", "hare\x1f"]
)
def test_no_letter_or_space_of_another_script_becomes_one_of_ours(username: str) -> None:
    assert usernames.problem_with(usernames.normalised(username)) is not None


@pytest.mark.parametrize(
    "display_name",
    ["Snow Hare", "북극토끼", "", "Höyhenpeitteinen Kiiruna Tunturin Länsirinteeltä", "👋", "ﬁ"],
)
def test_every_name_leads_to_usernames_that_could_be_chosen(display_name: str) -> None:
    proposals = list(islice(usernames.candidates(display_name, new_id()), 20))

    assert len(set(proposals)) == 20
    assert all(usernames.problem_with(proposal) is None for proposal in proposals)


def test_a_name_stays_recognisable_in_its_username() -> None:
    assert next(usernames.candidates("Háre Nívea", new_id())).startswith("hare_nivea_")


def test_people_of_the_same_name_get_different_usernames() -> None:
    assert next(usernames.candidates("Hare", new_id())) != next(usernames.candidates("Hare", new_id()))


def test_a_placeholder_is_the_same_each_time_and_could_be_chosen() -> None:
    user_id = UUID("01890a5d-ac96-774b-bcce-b302099a8057")

    assert usernames.placeholder(user_id) == usernames.placeholder(user_id)
    assert usernames.problem_with(usernames.placeholder(user_id)) is None
