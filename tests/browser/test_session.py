"""Nobody is signed out by accident, and whoever really is learns it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from browser.conftest import OpenPage
from browser.kept_session import kept_token, let_expire, spoil_access_token
from browser.town import Town
from igloo_local.phone import Phone, Refused

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


def test_a_renewal_that_came_too_often_is_made_when_it_may_be(town: Town, sign_in: OpenPage) -> None:
    [author] = town.people("Author")
    author.publish("A little later", photos=0)
    page, witness = sign_in(author)
    expect(page.get_by_role("article")).to_be_visible()
    refusals: list[Route] = []

    def answer_too_often_once(route: Route) -> None:
        if refusals:
            return route.fallback()
        refusals.append(route)
        problem = {"code": "rate_limited", "status": 429}
        return route.fulfill(status=429, headers={"Retry-After": "1"}, json=problem)

    page.route("**/v1/auth/token", answer_too_often_once)
    let_expire(page)
    page.reload()

    expect(page.get_by_role("article")).to_contain_text("A little later")
    expect(page.locator(".message")).to_have_count(0)
    assert len(refusals) == 1
    witness.forgive(status=429, path="/v1/auth/token")


def test_a_stranger_that_answers_for_the_server_signs_nobody_out(town: Town, sign_in: OpenPage) -> None:
    [author] = town.people("Author")
    author.publish("Back again", photos=0)
    page, witness = sign_in(author)
    expect(page.get_by_role("article")).to_be_visible()

    def answer_as_hotel(route: Route) -> None:
        route.fulfill(status=200, content_type="text/html", body="<h1>Welcome to our network</h1>")

    page.route("**/v1/auth/token", answer_as_hotel)
    let_expire(page)
    page.reload()
    expect(page.get_by_text("The server cannot be reached.").first).to_be_visible()
    page.unroute("**/v1/auth/token", answer_as_hotel)
    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("article")).to_contain_text("Back again")
    assert witness.complaints == []


def test_a_copied_sign_in_is_ended_and_its_owner_told_why(town: Town, sign_in: OpenPage) -> None:
    [author] = town.people("Author")
    page, witness = sign_in(author)
    expect(page.get_by_role("button", name="New post")).to_be_visible()
    thief = Phone(gateway=town.gateway, refresh_token=kept_token(page, "refresh_token"))
    thief.refresh()
    thief.refresh()

    let_expire(page)
    page.reload()

    expect(page.get_by_text("somebody may have used a copy of this sign-in")).to_be_focused()
    expect(page.get_by_role("button", name="Sign in as Author")).to_be_visible()
    with pytest.raises(Refused):
        thief.refresh()
    witness.forgive(status=400, path="/v1/auth/token")


def test_removing_igloo_at_facebook_signs_out_and_says_so(town: Town, sign_in: OpenPage) -> None:
    [author] = town.people("Author")
    page, witness = sign_in(author)
    expect(page.get_by_role("button", name="New post")).to_be_visible()

    town.remove_app(author)

    expect(page.get_by_text("igloo was removed in your Facebook settings")).to_be_visible()
    witness.forgive(status=401, path="/v1/")
    witness.forgive(status=400, path="/v1/auth/token")
