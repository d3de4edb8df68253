"""The demo data: the same everywhere, made by phones, and never made twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import pyvips

from igloo_local.demo import cast
from igloo_local.demo.cast import CHARACTERS, Plan, Remark
from igloo_local.demo.people import Place, SignedIn, sign_in_everybody
from igloo_local.demo.photos import draw_photo
from igloo_local.demo.progress import Progress
from igloo_local.demo.scenes import SCENES
from igloo_local.demo.seeding import Seeding
from igloo_local.phone import wait_until
from igloo_local.running import place_of
from igloo_local.stack import Stack

PLANS = [
    Plan(username="puffin", number=0, caption="One", scenes=("dawn",)),
    Plan(username="narwhal", number=0, caption="Two", scenes=("aurora", "fjord")),
    Plan(username="puffin", number=1, caption="Three", scenes=("tundra",)),
]


def test_twelve_people_make_sixty_posts_in_turn() -> None:
    plans = [*cast.posts()]

    assert Counter(plan.username for plan in plans) == {one.username: 5 for one in CHARACTERS}
    assert len(CHARACTERS) == 12
    assert len({plan.key for plan in plans}) == 60
    assert plans == [*cast.posts()]


def test_nobody_follows_themselves_and_the_first_person_follows_everybody() -> None:
    pairs = [*cast.follows()]

    assert len(set(pairs)) == len(pairs)
    assert all(follower != followee for follower, followee in pairs)
    assert Counter(follower for follower, _ in pairs)["puffin"] == 11


@pytest.mark.parametrize("scene", sorted(SCENES))
def test_a_photo_is_a_real_jpeg_of_a_cameras_size(scene: str) -> None:
    photo = draw_photo(scene, "seed")

    image = pyvips.Image.new_from_buffer(photo, "")
    assert image.get("vips-loader") == "jpegload_buffer"
    assert (image.bands, image.interpretation) == (3, "srgb")
    assert min(image.width, image.height) >= 1066
    # A flat picture would say that the drawing failed.
    assert image.deviate() > 5
    assert draw_photo(scene, "seed") == photo
    assert draw_photo(scene, "another") != photo


def test_progress_of_other_accounts_counts_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    Progress(path, {"puffin": "1"}).posted("puffin-0", "p")

    assert Progress(path, {"puffin": "1"}).post_id("puffin-0") == "p"
    assert Progress(path, {"puffin": "2"}).post_id("puffin-0") is None


@pytest.fixture
def small_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make three posts instead of sixty."""
    monkeypatch.setattr(cast, "posts", lambda: iter(PLANS))
    monkeypatch.setattr(cast, "follows", lambda: iter([("narwhal", "puffin")]))
    monkeypatch.setattr(cast, "likes", lambda: iter([("narwhal", 0)]))
    monkeypatch.setattr(
        cast, "comments", lambda: iter([Remark(username="narwhal", place=2, text="@puffin, look!")])
    )


@pytest.fixture(scope="module")
def place(stack: Stack) -> Place:
    """Say where the stack is."""
    return place_of(stack.folder, vars(stack.addresses))


@pytest.fixture(scope="module")
def people(place: Place) -> list[SignedIn]:
    """Sign everybody in."""
    return sign_in_everybody(place)


def feed_of(people: list[SignedIn], username: str, *, awaited: int) -> list[dict[str, object]]:
    """Read a feed once it has so many posts: to followers they come by events."""
    phone = next(one.phone for one in people if one.character.username == username)
    return wait_until(phone.feed, lambda posts: len(posts) >= awaited, what=f"{username}'s feed")


@pytest.mark.usefixtures("small_plan")
def test_seeding_goes_through_the_api_and_adds_nothing_the_second_time(
    place: Place, people: list[SignedIn]
) -> None:
    Seeding(place, people, report=print).run()
    first = feed_of(people, "narwhal", awaited=len(PLANS))

    again = Seeding(place, people, report=print)
    again.run()

    assert again.is_complete
    assert {post["caption"] for post in first} == {"One", "Two", "Three"}
    assert {post["state"] for post in first} == {"published"}
    assert [post["like_count"] for post in first if post["caption"] == "One"] == [1]
    assert [post["comment_count"] for post in first if post["caption"] == "Three"] == [1]
    assert feed_of(people, "narwhal", awaited=len(PLANS)) == first


@pytest.mark.usefixtures("small_plan")
def test_a_post_whose_answer_was_lost_is_not_made_twice(place: Place, people: list[SignedIn]) -> None:
    Seeding(place, people, report=print).run()
    path = place.state_folder / "progress.json"
    content = json.loads(path.read_text())
    before = content["posts"].pop("puffin-1")
    path.write_text(json.dumps(content))

    Seeding(place, people, report=print).run()

    assert json.loads(path.read_text())["posts"]["puffin-1"] == before
    assert Counter(post["caption"] for post in feed_of(people, "puffin", awaited=1))["Three"] == 1


def test_people_are_the_same_at_every_start(place: Place, people: list[SignedIn]) -> None:
    again = sign_in_everybody(place)

    assert [one.phone.user_id for one in again] == [one.phone.user_id for one in people]
    assert [one.phone.access_token for one in again] != [one.phone.access_token for one in people]
    assert [one.phone.call("GET", "/v1/users/me")["username"] for one in again] == [
        character.username for character in CHARACTERS
    ]
