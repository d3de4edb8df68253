"""The demo client for those who use a keyboard, and for those who hold a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from browser.chromium import PHONE
from browser.conftest import OpenPage
from browser.town import Town
from factories.photos import jpeg

pytestmark = pytest.mark.browser

_FOCUSED = """() => {
    const element = document.activeElement;
    // After the last control the focus leaves for the browser's own, and comes back to the first.
    if (element === document.body) return null;
    const visible = element.matches(":focus-visible") && getComputedStyle(element).outlineStyle !== "none";
    return { name: element.getAttribute("aria-label") ?? element.textContent.trim(), visible };
}"""
_STOPS = 30


def walk(page: Page, *, until: str) -> list[str]:
    """Press Tab until a control has the focus; return the names of all controls on the way.

    Each of them must show that it has the focus.
    """
    names: list[str] = []
    for _ in range(_STOPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(_FOCUSED)
        if focused is None:
            continue
        names.append(focused["name"])
        assert focused["visible"], f"{names[-1]} does not show that it has the focus"
        if names[-1].startswith(until):
            return names
    raise AssertionError(f"{until} cannot be reached with Tab: {names}")


def test_everything_can_be_done_with_the_keyboard(town: Town, open_page: OpenPage) -> None:
    reader, author = town.people("Reader", "Author")
    reader.follow(author)
    reader.wait_for_feed(author.publish("An album", photos=2)["id"])
    page, _ = open_page()
    expect(page.get_by_role("button", name="Sign in as Reader")).to_be_visible()

    walk(page, until="Sign in as Reader")
    page.keyboard.press("Enter")
    expect(page.get_by_role("article")).to_be_visible()
    names = walk(page, until="Like, 0 so far")
    assert names[:4] == ["People", "Notifications", "Sign out (Reader)", "Your profile, Reader"]
    assert "Photos" in names
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Take back your like, 1 in all")).to_be_focused()
    walk(page, until="New post")
    page.keyboard.press("Enter")

    sheet = page.get_by_role("dialog", name="New post")
    expect(sheet).to_be_visible()
    walk(page, until="Close")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.get_by_role("button", name="New post")).to_be_focused()


def test_the_arrow_keys_step_through_the_photos(town: Town, sign_in: OpenPage) -> None:
    [author] = town.people("Author")
    author.publish("An album", photos=2)
    page, _ = sign_in(author)
    post = page.get_by_role("article")
    post.get_by_role("list", name="Photos").focus()

    page.keyboard.press("ArrowRight")
    expect(post.locator(".place")).to_have_text("2/2")
    page.keyboard.press("ArrowLeft")

    expect(post.locator(".place")).to_have_text("1/2")


def assert_fits(page: Page) -> None:
    """Nothing is wider than the screen, and what is to be touched is large enough for a thumb."""
    wide, screen = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= screen == PHONE["width"]
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input:not(.visually-hidden)")]
            .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 40)
            .map((one) => one.getAttribute("aria-label") ?? one.textContent)"""
    )
    assert small == []


def test_every_screen_fits_a_phone(town: Town, open_page: OpenPage, tmp_path: Path) -> None:
    reader, author = town.people("Reader", "A Person With A Rather Long Name Indeed")
    reader.follow(author)
    author.publish("https://example.org/" + "a-very-long-address-without-a-space" * 5, photos=3)
    post = author.publish("Short")
    reader.wait_for_feed(post["id"])
    page, _ = open_page(PHONE)
    expect(page.get_by_role("heading", name="Who are you today?")).to_be_visible()
    assert_fits(page)

    page.get_by_role("button", name="Sign in as Reader").tap()
    expect(page.get_by_role("article")).to_have_count(2)
    assert_fits(page)
    page.get_by_role("button", name="People").tap()
    page.get_by_role("dialog").get_by_role("button", name=author.display_name).tap()
    profile = page.get_by_role("dialog", name=author.display_name)
    expect(profile.locator(".grid .picture.loaded")).to_have_count(2)
    assert_fits(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")

    page.get_by_role("button", name="New post").tap()
    (tmp_path / "one.jpg").write_bytes(jpeg())
    page.get_by_label("Choose photos").set_input_files(tmp_path / "one.jpg")
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_count(1)
    assert_fits(page)


def test_korean_browsers_are_spoken_to_in_korean(town: Town, open_page: OpenPage) -> None:
    town.people("Reader")
    page, _ = open_page(locale="ko-KR")

    expect(page.get_by_role("heading", name="오늘은 누구로 들어갈까요?")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ko")


NARROW = ViewportSize(width=320, height=640)
_TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll("dialog[open]")]
    .filter((one) => one.scrollWidth > one.clientWidth).length"""


@pytest.mark.parametrize("locale", ["en-GB", "ko-KR"])
def test_every_screen_of_the_account_fits_the_narrowest_phone(
    town: Town, open_page: OpenPage, locale: str
) -> None:
    [reader] = town.people("A Person With A Rather Long Name Indeed")
    page, _ = open_page(NARROW, locale=locale)
    page.locator(".face").click()
    page.locator(".bar-top button").last.click()
    page.locator(".profile-actions button").click()
    entries = page.locator(".menu-entry")
    expect(entries).to_have_count(5)
    assert page.evaluate(_TOO_WIDE) == 0

    # All but "Be somebody else in this tab", which opens no sheet.
    for entry in [entries.nth(index) for index in (0, 1, 2, 4)]:
        name = entry.locator(".entry-name").inner_text()
        entry.click()
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        assert page.evaluate(_TOO_WIDE) == 0, name
        page.keyboard.press("Escape")
    assert reader.phone.call("GET", "/v1/account")["display_name"] == reader.display_name


def test_the_account_is_looked_after_with_the_keyboard(town: Town, sign_in: OpenPage) -> None:
    [reader] = town.people("Reader")
    page, _ = sign_in(reader)
    walk(page, until="Your profile, Reader")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Reader")).to_be_visible()
    walk(page, until="Your account")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Your account")).to_be_visible()
    walk(page, until="Devices")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Devices")
    expect(sheet.get_by_role("listitem")).to_have_count(2)

    walk(page, until="Sign out A device without a name")
    page.keyboard.press("Enter")

    expect(sheet.get_by_role("listitem")).to_have_count(1)
    expect(sheet.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Devices")).to_be_focused()
