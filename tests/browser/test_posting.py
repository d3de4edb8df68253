"""Somebody posts photos from the browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenPage
from browser.test_feed import shown_photos
from browser.town import Town
from factories.photos import BROKEN_JPEG, jpeg

pytestmark = pytest.mark.browser


def test_chosen_photos_are_uploaded_described_posted_and_shown(
    town: Town, sign_in: OpenPage, tmp_path: Path
) -> None:
    author, follower = town.people("Author", "Follower")
    follower.follow(author)
    files = [tmp_path / f"{number}.jpg" for number in range(3)]
    for number, file in enumerate(files):
        file.write_bytes(jpeg(800, 600, seed=number + 1))
    page, witness = sign_in(author)

    page.get_by_role("button", name="New post").click()
    sheet = page.get_by_role("dialog", name="New post")
    post = sheet.get_by_role("button", name="Post", exact=True)
    expect(post).to_be_disabled()
    sheet.get_by_label("Choose photos").set_input_files(files)
    expect(sheet.get_by_role("listitem")).to_have_count(3)
    sheet.get_by_label("Describe photo 1 for those who cannot see it").fill("A bear on the ice")
    sheet.get_by_label("Caption").fill("Three at once")
    post.click()

    expect(sheet).to_be_hidden()
    expect(page.get_by_text("Your post is out.")).to_be_visible()
    card = page.get_by_role("article").filter(has_text="Three at once")
    photos = shown_photos(card)
    assert [photo["alt"] for photo in photos] == ["A bear on the ice", "Photo by Author", "Photo by Author"]
    assert all(photo["width"] for photo in photos)
    assert witness.count("POST", "/v1/uploads") == 1
    post_id = str(card.get_attribute("data-post"))
    follower.wait_for_feed(post_id)
    assert follower.read(post_id)["images"][0]["alt_text"] == "A bear on the ice"


def test_a_photo_that_the_browser_cannot_show_has_a_sign_in_its_place(
    town: Town, sign_in: OpenPage, tmp_path: Path
) -> None:
    [author] = town.people("Author")
    (tmp_path / "seen.jpg").write_bytes(jpeg(640, 480, seed=1))
    (tmp_path / "unseen.heic").write_bytes(BROKEN_JPEG)
    page, _ = sign_in(author)
    page.get_by_role("button", name="New post").click()
    sheet = page.get_by_role("dialog", name="New post")

    sheet.get_by_label("Choose photos").set_input_files([tmp_path / "seen.jpg", tmp_path / "unseen.heic"])

    expect(sheet.get_by_role("listitem").nth(1).locator(".icon-photo")).to_be_visible()
    expect(sheet.get_by_role("listitem").locator("img")).to_have_count(1)
    sheet.get_by_role("button", name="Remove photo 2").click()
    expect(sheet.get_by_role("listitem")).to_have_count(1)


def test_a_photo_that_was_removed_again_is_not_posted(town: Town, sign_in: OpenPage, tmp_path: Path) -> None:
    [author] = town.people("Author")
    files = [tmp_path / name for name in ("kept.jpg", "removed.jpg")]
    for number, file in enumerate(files):
        file.write_bytes(jpeg(640, 480, seed=number + 1))
    page, _ = sign_in(author)
    page.get_by_role("button", name="New post").click()
    sheet = page.get_by_role("dialog", name="New post")
    sheet.get_by_label("Choose photos").set_input_files(files)

    sheet.get_by_role("button", name="Remove photo 2").click()
    expect(sheet.get_by_role("listitem")).to_have_count(1)
    sheet.get_by_label("Caption").fill("Only one")
    sheet.get_by_role("button", name="Post", exact=True).click()

    expect(page.get_by_text("Your post is out.")).to_be_visible()
    assert len(shown_photos(page.get_by_role("article").filter(has_text="Only one"))) == 1


def test_a_photo_that_cannot_be_read_fails_visibly(town: Town, sign_in: OpenPage, tmp_path: Path) -> None:
    [author] = town.people("Author")
    (tmp_path / "broken.jpg").write_bytes(BROKEN_JPEG)
    page, _ = sign_in(author)

    page.get_by_role("button", name="New post").click()
    sheet = page.get_by_role("dialog", name="New post")
    sheet.get_by_label("Choose photos").set_input_files(tmp_path / "broken.jpg")
    sheet.get_by_label("Caption").fill("A broken one")
    sheet.get_by_role("button", name="Post", exact=True).click()

    card = page.get_by_role("article").filter(has_text="A broken one")
    expect(card.get_by_role("alert")).to_contain_text("This post could not be published")


def test_a_refused_request_is_told_and_keeps_what_was_written(
    town: Town, sign_in: OpenPage, tmp_path: Path
) -> None:
    [author] = town.people("Author")
    page, witness = sign_in(author)
    page.get_by_role("button", name="New post").click()
    sheet = page.get_by_role("dialog", name="New post")
    (tmp_path / "empty.jpg").write_bytes(b"")
    sheet.get_by_label("Choose photos").set_input_files(tmp_path / "empty.jpg")
    sheet.get_by_label("Caption").fill("Kept")

    sheet.get_by_role("button", name="Post", exact=True).click()

    expect(page.locator(".message-problem")).to_contain_text("Reference")
    expect(sheet.get_by_label("Caption")).to_have_value("Kept")
    expect(sheet.get_by_role("button", name="Post", exact=True)).to_be_enabled()
    witness.forgive(status=422, path="/v1/uploads")
