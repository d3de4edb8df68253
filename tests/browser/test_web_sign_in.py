"""Continuing with Facebook: the whole web flow, through the stand-in's own dialog."""

from __future__ import annotations

from itertools import count
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from browser.conftest import OpenPage
from browser.town import Person, Town
from browser.witness import Witness

pytestmark = pytest.mark.browser

_CANCELLED = "You cancelled at Facebook. Nothing has changed."
_NUMBERS = count(1)
_NOT_BEGUN_HERE = "This answer does not belong to a sign-in begun in this tab"


class Journey:
    """A browser on its way through the flow, with the addresses that it came by."""

    def __init__(self, town: Town, page: Page, witness: Witness) -> None:
        self.page, self.witness, self._town = page, witness, town
        self.addresses: list[str] = []
        witness.allow(town.facebook)
        page.on("request", self._note)

    def leave(self) -> None:
        """Press the button, and wait for Facebook's dialog."""
        self.page.get_by_role("button", name="Continue with Facebook").click()
        expect(self.page.get_by_role("heading", name="Continue as…")).to_be_visible()

    def choose(self, person: Person) -> None:
        """Continue at Facebook as a person."""
        self.page.get_by_role("link", name=person.display_name, exact=True).click()

    def asked(self, name: str) -> str:
        """Return a parameter of the authorization request that the page made last."""
        requests = [a for a in self.addresses if urlsplit(a).path == "/v1/auth/facebook/authorize"]
        return parse_qs(urlsplit(requests[-1]).query)[name][0]

    def callback(self) -> str:
        """Return the address with which the flow came back to the page last."""
        own = [a for a in self.addresses if a.startswith(f"{self._town.gateway}/?")]
        return own[-1]

    def come_back_with(self, **answer: str) -> None:
        """Open the page with an answer of one's own making."""
        self.page.goto(f"{self._town.gateway}/?{urlencode(answer)}")

    def _note(self, request: Request) -> None:
        if request.is_navigation_request():
            self.addresses.append(request.url)


@pytest.fixture
def person(town: Town) -> Person:
    """A person who is known at Facebook, where people of earlier tests are still to be seen."""
    [person] = town.people(f"Snow Hare {next(_NUMBERS)}")
    return person


@pytest.fixture
def journey(town: Town, person: Person, open_page: OpenPage) -> Journey:
    """A browser that shows the sign-in."""
    assert person.display_name
    page, witness = open_page()
    expect(page.get_by_role("button", name="Continue with Facebook")).to_be_visible()
    return Journey(town, page, witness)


def test_whoever_is_chosen_at_facebook_is_signed_in(town: Town, person: Person, journey: Journey) -> None:
    page = journey.page
    journey.leave()
    journey.choose(person)

    expect(page.get_by_role("button", name="New post")).to_be_visible()
    expect(page.get_by_role("button", name=f"Sign out ({person.display_name})")).to_be_visible()
    assert page.url == f"{town.gateway}/"
    assert journey.asked("code_challenge_method") == "S256"
    assert journey.asked("redirect_uri") == f"{town.gateway}/"
    assert page.evaluate("() => Object.keys(sessionStorage)") == ["igloo.this-tab"]
    assert journey.witness.count("POST", "/v1/auth/token") == 1
    page.reload()
    expect(page.get_by_role("button", name=f"Sign out ({person.display_name})")).to_be_visible()


def test_cancelling_at_facebook_leaves_everything_as_it_was(person: Person, journey: Journey) -> None:
    page = journey.page
    journey.leave()
    page.get_by_role("link", name="Cancel").click()

    notice = page.get_by_text(_CANCELLED)
    expect(notice).to_be_visible()
    expect(notice).to_be_focused()
    assert "?" not in page.url
    assert journey.witness.count("POST", "/v1/auth/token") == 0
    journey.leave()
    journey.choose(person)
    expect(page.get_by_role("button", name="New post")).to_be_visible()


def test_an_answer_with_another_state_is_thrown_away(town: Town, journey: Journey) -> None:
    page = journey.page
    journey.leave()
    journey.come_back_with(code="stolen", state="x" * 43, iss=town.gateway)

    expect(page.get_by_text(_NOT_BEGUN_HERE)).to_be_visible()
    assert page.url == f"{town.gateway}/"
    assert journey.witness.count("POST", "/v1/auth/token") == 0
    assert page.evaluate("() => sessionStorage.getItem('igloo.web-sign-in')") is None


def test_an_answer_that_nobody_asked_for_is_thrown_away(town: Town, journey: Journey) -> None:
    journey.come_back_with(code="stolen", state="x" * 43, iss=town.gateway)

    expect(journey.page.get_by_text(_NOT_BEGUN_HERE)).to_be_visible()
    assert journey.witness.count("POST", "/v1/auth/token") == 0


@pytest.mark.parametrize("issuer", [{"iss": "https://igloo.example.com"}, {}], ids=["another", "none"])
def test_an_answer_of_another_issuer_is_thrown_away(journey: Journey, issuer: dict[str, str]) -> None:
    journey.leave()
    journey.come_back_with(code="mixed-up", state=journey.asked("state"), **issuer)

    expect(journey.page.get_by_text("came from somewhere else than this igloo")).to_be_visible()
    assert journey.witness.count("POST", "/v1/auth/token") == 0


def test_facebook_being_away_is_told_in_plain_words(town: Town, journey: Journey) -> None:
    journey.leave()
    journey.come_back_with(error="temporarily_unavailable", state=journey.asked("state"), iss=town.gateway)

    expect(journey.page.get_by_text("Facebook cannot be reached just now.")).to_be_visible()
    expect(journey.page.get_by_role("button", name="Continue with Facebook")).to_be_enabled()


def test_a_code_that_is_refused_leads_back_to_the_sign_in(town: Town, journey: Journey) -> None:
    journey.leave()
    journey.come_back_with(code="never-given", state=journey.asked("state"), iss=town.gateway)

    expect(journey.page.get_by_text("The sign-in took too long or was used already.")).to_be_visible()
    journey.witness.forgive(status=400, path="/v1/auth/token")


def test_the_same_callback_twice_changes_nothing(person: Person, journey: Journey) -> None:
    page = journey.page
    journey.leave()
    journey.choose(person)
    expect(page.get_by_role("button", name="New post")).to_be_visible()

    page.goto(journey.callback())

    expect(page.get_by_role("button", name=f"Sign out ({person.display_name})")).to_be_visible()
    expect(page.get_by_text(_NOT_BEGUN_HERE)).to_have_count(0)
    assert "?" not in page.url
    assert journey.witness.count("POST", "/v1/auth/token") == 1


def test_going_back_from_facebook_shows_the_sign_in_ready_for_use(person: Person, journey: Journey) -> None:
    page = journey.page
    journey.leave()
    page.go_back()

    expect(page.get_by_role("button", name="Continue with Facebook")).to_be_enabled()
    journey.leave()
    journey.choose(person)
    expect(page.get_by_role("button", name="New post")).to_be_visible()


def test_going_back_after_the_sign_in_signs_nobody_out(town: Town, person: Person, journey: Journey) -> None:
    page = journey.page
    journey.leave()
    journey.choose(person)
    expect(page.get_by_role("button", name="New post")).to_be_visible()

    page.go_back()
    expect(page.get_by_role("heading", name="Continue as…")).to_be_visible()
    page.go_back()

    expect(page.get_by_role("button", name=f"Sign out ({person.display_name})")).to_be_visible()
    assert page.url == f"{town.gateway}/"


def test_an_insecure_address_is_told_what_it_lacks(journey: Journey) -> None:
    page = journey.page
    page.evaluate("() => Object.defineProperty(globalThis, 'isSecureContext', { value: false })")
    page.get_by_role("button", name="Continue with Facebook").click()

    expect(page.get_by_text("Browsers allow this on secure addresses alone")).to_be_focused()
    assert journey.witness.count("GET", "/v1/auth/facebook/authorize") == 0


def test_another_name_of_the_same_machine_is_told_the_right_one(town: Town, journey: Journey) -> None:
    page = journey.page
    other = town.gateway.replace("127.0.0.1", "localhost")
    journey.witness.allow(other)
    page.goto(f"{other}/")
    page.get_by_role("button", name="Continue with Facebook").click()

    expect(page.get_by_role("link", name=town.gateway)).to_have_attribute("href", f"{town.gateway}/")
