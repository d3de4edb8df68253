"""Draws the README's picture from the running stack: `PYTHONPATH=tests python -m browser.screenshots`."""

from __future__ import annotations

import sys
from pathlib import Path

import pyvips
from playwright.sync_api import Browser, Locator, Page, expect

from browser.chromium import PHONE, chromium
from igloo_local.addresses import read_addresses
from igloo_local.settings import LocalSettings
from igloo_local.source import ROOT

PICTURE = ROOT / "docs" / "images" / "demo.png"
MAX_BYTES = 600_000
_SCALE = 1.5
_GAP_PIXELS = 36
_PERSON = "Puffin"
# The photos in sight are drawn, and their fading in is over.
_PHOTOS_ARE_SHOWN = """() => [...document.querySelectorAll(".picture")]
    .filter((frame) => frame.checkVisibility())
    .map((frame) => [frame.getBoundingClientRect(), frame])
    .filter(([box]) => box.top < innerHeight && box.bottom > 0 && box.left < innerWidth)
    .every(([, frame]) => frame.querySelector("img")?.complete && getComputedStyle(frame.querySelector("img")).opacity === "1")"""  # noqa: E501 - one expression


def main() -> int:
    """Take the picture anew; needs `make run` with its demo data complete."""
    gateway = read_addresses(LocalSettings.load().folder)["gateway"]
    with chromium() as browser:
        size = _save(_take_screens(browser, gateway), PICTURE)
    if size > MAX_BYTES:
        raise SystemExit(f"{PICTURE.relative_to(ROOT)} has {size} bytes, more than {MAX_BYTES}")
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}: {size} bytes\n")
    return 0


def _take_screens(browser: Browser, gateway: str) -> list[bytes]:
    """Return PNGs of the sign-in, the home feed and a profile, as a phone shows them."""
    page = browser.new_page(
        viewport=PHONE,
        device_scale_factor=_SCALE,
        has_touch=True,
        is_mobile=True,
        locale="en-GB",
        color_scheme="light",
    )
    page.goto(gateway)
    expect(page.get_by_role("heading", name="Who are you today?")).to_be_visible()
    sign_in = page.screenshot()
    page.get_by_role("button", name=f"Sign in as {_PERSON}").tap()
    feed = _shot_with_photos(page, page.get_by_role("article").nth(1).get_by_role("list").first)
    page.get_by_role("article").first.locator(".person").tap()
    profile = _shot_with_photos(page, page.get_by_role("dialog").locator(".grid"))
    return [sign_in, feed, profile]


def _shot_with_photos(page: Page, awaited: Locator) -> bytes:
    expect(awaited).to_be_visible()
    page.wait_for_function(_PHOTOS_ARE_SHOWN)
    return page.screenshot()


def _save(screens: list[bytes], path: Path) -> int:
    """Put the screens side by side, with a palette (a third of the bytes); return the size in bytes."""
    images = [pyvips.Image.new_from_buffer(png, "") for png in screens]
    joined = pyvips.Image.arrayjoin(images, across=len(images), shim=_GAP_PIXELS, background=[255, 255, 255])
    path.parent.mkdir(parents=True, exist_ok=True)
    joined.pngsave(str(path), palette=True, bitdepth=8, Q=90, dither=1, keep="none")
    return path.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
