"""The machine's own Chromium, driven by Playwright; no browser is ever downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from igloo_local.installing import PROGRAMS

PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1100, height=900)
# The sandbox needs rights that root in a container lacks; the rest keeps the browser from talking to anybody.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumMissing(Exception):
    """There is no Chromium on this machine."""


def find_chromium() -> str | None:
    """Return the path of Chromium, if there is one."""
    find, _package = PROGRAMS["chromium"]
    return find()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a headless Chromium.

    Raises:
        ChromiumMissing: with how to install it.
    """
    path = find_chromium()
    if path is None:
        raise ChromiumMissing("no Chromium here: `python -m igloo_local install chromium` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_FLAGS])
        try:
            yield browser
        finally:
            browser.close()
