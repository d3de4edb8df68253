"""A whole stack without demo data, a Chromium, and pages that are watched while a test uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from browser.chromium import DESKTOP, PHONE, ChromiumMissing, chromium
from browser.town import Person, Town
from browser.witness import Witness
from igloo_local.ports import free_port
from igloo_local.settings import inherited_environment
from igloo_local.stack import Stack

# A machine that also renders photos at the moment answers late; a long wait costs nothing elsewhere.
PATIENCE_MILLISECONDS = 30_000

OpenPage = Callable[..., tuple[Page, Witness]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run Chromium; without one the test is skipped where a person sits, and fails in CI."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    try:
        with chromium() as running:
            yield running
    except ChromiumMissing as missing:
        if inherited_environment().get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def town(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Start the whole stack; the folder broker is enough, for a browser sees no broker.

    A refresh token that comes twice is forgiven for no time at all: what the client does must be enough.
    """
    assert browser.is_connected()
    folder = tmp_path_factory.mktemp("browser")
    given = {"IGLOO_REFRESH_GRACE_SECONDS": "0"}
    with Stack(folder, broker="filesystem", gateway_port=free_port(), given=given) as stack:
        yield Town(stack)


def watched_page(context: BrowserContext, town: Town) -> tuple[Page, Witness]:
    """Open one more tab of a browser; whoever opens it asks its witness."""
    page = context.new_page()
    return page, Witness(page, allowed=(town.gateway, town.s3))


@pytest.fixture
def open_page(browser: Browser, town: Town) -> Iterator[OpenPage]:
    """Open fresh browsers, each with a session of its own; none of them may complain by the end."""
    witnesses: list[Witness] = []
    contexts = []

    def open_one(
        viewport: ViewportSize = DESKTOP, *, path: str = "/", locale: str = "en-GB"
    ) -> tuple[Page, Witness]:
        touch = viewport == PHONE
        context = browser.new_context(
            viewport=viewport, locale=locale, reduced_motion="reduce", has_touch=touch, is_mobile=touch
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        contexts.append(context)
        page, witness = watched_page(context, town)
        witnesses.append(witness)
        page.goto(f"{town.gateway}{path}")
        return page, witness

    yield open_one
    complaints = [complaint for witness in witnesses for complaint in witness.complaints]
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def sign_in(open_page: OpenPage) -> Callable[..., tuple[Page, Witness]]:
    """Open the demo client and choose a person in it."""

    def sign_in(person: Person, viewport: ViewportSize = DESKTOP) -> tuple[Page, Witness]:
        page, witness = open_page(viewport)
        page.get_by_role("button", name=f"Sign in as {person.display_name}").click()
        expect(page.get_by_role("button", name="New post")).to_be_visible()
        return page, witness

    return sign_in
