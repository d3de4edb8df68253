"""Nobody is signed out by accident, and whoever really is learns it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from browser.conftest import OpenPage
from browser.kept_session import kept_token, spoil_access_token
from browser.town import Town

pytestmark = pytest.mark.browser

def answer_unavailable(route: Route) -> None:
    """Answer as a gateway whose service is away."""
    route.fulfill(status=503, json={"title": "Service Unavailable", "status": 503})


def test_a_refused_access_token_is_renewed_once_and_nobody_notices(town: Town, sign_in: OpenPage) -> None:
    [author] = town.people("Author")
    author.publish("Still here", photos=0)
    page, witness = sign_in(author)
    expect(page.get_by_role("article")).to_be_visible()
    refresh_token = kept_token(page, "refresh_token")
    renewed_before = witness.count("POST", "/v1/auth/token")

    spoil_access_token(page)
    page.reload()

    expect(page.get_by_role("article")).to_contain_text("Still here")
    expect(page.locator(".message")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    # The feed and the bell are refused at the same time; they share one renewal.
    assert witness.count("POST", "/v1/auth/token") == renewed_before + 1
    assert kept_token(page, "refresh_token") != refresh_token
    witness.forgive(status=401, path="/v1/")


def test_a_server_that_cannot_renew_just_now_signs_nobody_out(town: Town, sign_in: OpenPage) -> None:
    [author] = town.people("Author")
    author.publish("Back again", photos=0)
    page, witness = sign_in(author)
    expect(page.get_by_role("article")).to_be_visible()
    page.route("**/v1/auth/token", answer_unavailable)

    spoil_access_token(page)
    page.reload()
    expect(page.get_by_text("The server cannot be reached.").first).to_be_visible()
    page.unroute("**/v1/auth/token", answer_unavailable)
    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("article")).to_contain_text("Back again")
    witness.forgive(status=503, path="/v1/auth/token")
    witness.forgive(status=401, path="/v1/")


def test_a_session_that_was_ended_elsewhere_leads_to_the_sign_in(town: Town, sign_in: OpenPage) -> None:
    [author] = town.people("Author")
    page, witness = sign_in(author)
    expect(page.get_by_text("Nothing here yet.")).to_be_visible()
    token = kept_token(page, "refresh_token")
    author.phone.http.post(f"{town.gateway}/v1/auth/revoke", data={"token": token})

    spoil_access_token(page)
    page.reload()

    expect(page.get_by_text("You have signed out.")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in as Author")).to_be_visible()
    witness.forgive(status=401, path="/v1/")
    witness.forgive(status=400, path="/v1/auth/token")


def test_signing_out_ends_the_session_and_another_person_may_come(town: Town, sign_in: OpenPage) -> None:
    first, second = town.people("First", "Second")
    second.publish("Mine", photos=0)
    page, witness = sign_in(first)
    refresh_token = kept_token(page, "refresh_token")

    page.get_by_role("button", name="Sign out (First)").click()
    page.get_by_role("button", name="Sign in as Second").click()

    expect(page.get_by_role("article")).to_contain_text("Mine")
    assert witness.count("POST", "/v1/auth/revoke") == 1
    grant = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    assert first.phone.http.post(f"{town.gateway}/v1/auth/token", data=grant).status_code == 400
