"""The session as the demo client keeps it in the browser, to be read and to be spoilt."""

from __future__ import annotations

from playwright.sync_api import Page

_FIND = (
    """() => JSON.parse(localStorage.getItem(`igloo.session.${sessionStorage.getItem("igloo.this-tab")}`))"""
)
_CHANGE = """(change) => {
    const key = `igloo.session.${sessionStorage.getItem("igloo.this-tab")}`;
    localStorage.setItem(key, JSON.stringify({ ...JSON.parse(localStorage.getItem(key)), ...change }));
}"""


def kept_token(page: Page, name: str) -> str:
    """Return a token as the page keeps it."""
    token: str = page.evaluate(_FIND)[name]
    return token


def let_expire(page: Page) -> None:
    """Make the access token one that has expired by the browser's clock."""
    page.evaluate(_CHANGE, {"expires_at": 0})


def spoil_access_token(page: Page) -> None:
    """Make the access token one that the server refuses, though it seems good to the browser."""
    page.evaluate(_CHANGE, {"access_token": kept_token(page, "access_token")[:-9]})
