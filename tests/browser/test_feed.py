"""Somebody opens the address, chooses who to be, and looks at photos."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from browser.conftest import OpenPage
from browser.town import Town

pytestmark = pytest.mark.browser


def shown_photos(post: Locator) -> list[dict[str, object]]:
    """Wait until every photo of a post is drawn, and describe them as the browser has them."""
    pictures = post.locator(".slide .picture")
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_contain_class("loaded")
    photos: list[dict[str, object]] = pictures.locator("img").evaluate_all(
        "(all) => all.map((img) => ({ alt: img.alt, width: img.naturalWidth, whole: img.complete }))"
    )
    return photos


def test_the_feed_of_a_chosen_person_shows_photos_that_really_load(town: Town, sign_in: OpenPage) -> None:
    reader, author, stranger = town.people("Reader", "Author", "Stranger")
    reader.follow(author)
    one = author.publish("One from the ice")
    three = author.publish("Three from the ice", photos=3)
    stranger.publish("Not for the reader's feed", photos=0)
    reader.wait_for_feed(one["id"], three["id"])

    page, _ = sign_in(reader)

    posts = page.get_by_role("article")
    expect(posts).to_have_count(2)
    expect(posts.nth(0)).to_contain_text("Three from the ice")
    expect(posts.nth(1)).to_contain_text("One from the ice")
    seen = [*shown_photos(posts.nth(1)), *shown_photos(posts.nth(0))]
    assert len(seen) == 4
    assert all(photo["width"] and photo["whole"] for photo in seen)
    assert {photo["alt"] for photo in seen} == {"Photo by Author"}
    expect(page.get_by_text("You have seen everything.")).to_be_visible()


def test_several_photos_are_stepped_through(town: Town, sign_in: OpenPage) -> None:
    reader, author = town.people("Reader", "Author")
    reader.follow(author)
    reader.wait_for_feed(author.publish("An album", photos=3)["id"])
    page, _ = sign_in(reader)
    post = page.get_by_role("article")
    place, onward, back = (
        post.locator(".place"),
        post.get_by_role("button", name="Next photo"),
        post.get_by_role("button", name="Previous photo"),
    )
    expect(place).to_have_text("1/3")
    expect(back).to_be_hidden()

    post.hover()
    onward.click()
    expect(place).to_have_text("2/3")
    onward.click()

    expect(place).to_have_text("3/3")
    expect(onward).to_be_hidden()
    expect(back).to_be_visible()


def test_older_posts_come_while_scrolling(town: Town, sign_in: OpenPage) -> None:
    [author] = town.people("Author")
    captions = [f"Number {number} of the day" for number in range(23)]
    for caption in captions:
        author.publish(caption, photos=0)
    page, witness = sign_in(author)
    posts = page.get_by_role("article")
    expect(posts.first).to_contain_text(captions[-1])

    while witness.count("GET", "/v1/feed") < 3:
        known = witness.count("GET", "/v1/feed")
        with page.expect_response(lambda response: "/v1/feed" in response.url):
            posts.last.scroll_into_view_if_needed()
            page.mouse.wheel(0, 4000)
        assert witness.count("GET", "/v1/feed") > known

    expect(posts).to_have_count(len(captions))
    assert posts.locator(".caption").all_inner_texts() == [f"{author.username} {c}" for c in captions[::-1]]


def test_a_like_counts_and_survives_a_reload(town: Town, sign_in: OpenPage) -> None:
    reader, author = town.people("Reader", "Author")
    reader.follow(author)
    post = author.publish("Like me", photos=0)
    reader.wait_for_feed(post["id"])
    page, witness = sign_in(reader)
    card = page.get_by_role("article")

    card.get_by_role("button", name="Like, 0 so far").click()
    expect(card.get_by_role("button", name="Take back your like, 1 in all")).to_have_text("1 like")
    page.wait_for_load_state("networkidle")
    page.reload()

    liked = card.get_by_role("button", name="Take back your like, 1 in all")
    expect(liked).to_have_attribute("aria-pressed", "true")
    assert author.read(post["id"])["like_count"] == 1
    liked.click()
    expect(card.get_by_role("button", name="Like, 0 so far")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert author.read(post["id"])["like_count"] == 0
    assert witness.count("POST", "/v1/auth/token") == 1


def test_without_demo_people_the_address_says_what_it_is_for(town: Town, open_page: OpenPage) -> None:
    (town.stack.folder / "demo" / "demo.json").unlink(missing_ok=True)

    page, witness = open_page()

    expect(page.get_by_text("This is the back end of igloo")).to_be_visible()
    expect(page.get_by_role("link", name="API documentation")).to_have_attribute("href", "/docs")
    witness.forgive(status=404, path="/demo.json")
