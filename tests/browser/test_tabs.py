"""Several tabs of one browser are one device: they share a session, renew it once, and lose it together."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import OpenPage, watched_page
from browser.kept_session import kept_token, let_expire
from browser.town import Person, Town
from browser.witness import Witness

pytestmark = pytest.mark.browser

_TOKEN = ("POST", "/v1/auth/token")


@pytest.fixture
def author(town: Town) -> Person:
    """A person with something in their feed."""
    [author] = town.people("Snow Hare")
    author.publish("Seen in every tab", photos=0)
    return author


def second_tab(town: Town, page: Page) -> tuple[Page, Witness]:
    """Open one more tab in the same browser; it must know who is signed in."""
    tab, witness = watched_page(page.context, town)
    tab.goto(f"{town.gateway}/")
    expect(tab.get_by_role("article")).to_contain_text("Seen in every tab")
    return tab, witness


def test_two_tabs_that_renew_at_once_end_with_the_same_tokens_and_stay_signed_in(
    town: Town, author: Person, sign_in: OpenPage
) -> None:
    page, witness = sign_in(author)
    tab, other_witness = second_tab(town, page)
    before = kept_token(page, "refresh_token")
    let_expire(page)

    for one in (page, tab):
        one.evaluate("() => setTimeout(() => location.reload())")

    for one in (page, tab):
        expect(one.get_by_role("button", name="New post")).to_be_visible()
        expect(one.get_by_role("article")).to_contain_text("Seen in every tab")
        one.wait_for_load_state("networkidle")
    # The first is the sign-in. The second tab may not have been told yet what the first one wrote.
    assert witness.count(*_TOKEN) + other_witness.count(*_TOKEN) in (2, 3)
    assert kept_token(tab, "refresh_token") == kept_token(page, "refresh_token") != before
    assert other_witness.complaints == []


def test_signing_out_in_one_tab_signs_out_the_others(town: Town, author: Person, sign_in: OpenPage) -> None:
    page, _ = sign_in(author)
    tab, witness = second_tab(town, page)

    page.get_by_role("button", name="Sign out (Snow Hare)").click()

    expect(tab.get_by_text("You have signed out.")).to_be_visible()
    expect(tab.get_by_role("button", name="Continue with Facebook")).to_be_visible()
    assert witness.complaints == []


def test_a_tab_may_be_somebody_else(town: Town, sign_in: OpenPage) -> None:
    one, other = town.people("Snow Hare", "Arctic Tern")
    one.publish("Seen in every tab", photos=0)
    page, _ = sign_in(one)
    tab, witness = second_tab(town, page)

    tab.get_by_role("button", name="Your profile, Snow Hare").click()
    tab.get_by_role("button", name="Your account").click()
    tab.get_by_role("button", name="Be somebody else in this tab").click()
    tab.get_by_role("button", name=f"Sign in as {other.display_name}").click()

    expect(tab.get_by_role("button", name="Sign out (Arctic Tern)")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Sign out (Snow Hare)")).to_be_visible()
    expect(page.get_by_role("article")).to_contain_text("Seen in every tab")
    assert witness.complaints == []
