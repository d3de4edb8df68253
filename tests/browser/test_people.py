"""Somebody hears from others, follows them, and has enough of one."""

from __future__ import annotations

import pytest
from playwright.sync_api import Dialog, expect

from browser.conftest import OpenPage
from browser.town import Town

pytestmark = pytest.mark.browser


def test_the_bell_counts_what_is_new_and_forgets_it_once_read(town: Town, sign_in: OpenPage) -> None:
    author, fan = town.people("Author", "Fan")
    post = author.publish("Like me", photos=0)
    fan.follow(author)
    fan.phone.call("PUT", f"/v1/posts/{post['id']}/like")

    page, _ = sign_in(author)
    bell = page.get_by_role("button", name="Notifications")
    expect(bell).to_have_accessible_name("Notifications, 2 unread")
    expect(bell.locator(".badge")).to_have_text("2")
    bell.click()

    sheet = page.get_by_role("dialog", name="Notifications")
    entries = sheet.get_by_role("listitem")
    expect(entries).to_have_count(2)
    expect(entries.nth(0)).to_contain_text("Fan likes your post.")
    expect(entries.nth(1)).to_contain_text("Fan follows you.")
    sheet.get_by_role("button", name="Close").click()
    expect(bell).to_have_accessible_name("Notifications")
    expect(bell.locator(".badge")).to_be_hidden()


def test_what_several_people_do_is_one_entry_of_the_bell(town: Town, sign_in: OpenPage) -> None:
    author, first, second, third = town.people("Author", "Puffin", "Walrus", "Narwhal")
    post = author.publish("Like me", photos=0)
    for fan in (first, second, third):
        fan.phone.call("PUT", f"/v1/posts/{post['id']}/like")
    for fan in (first, second):
        fan.follow(author)

    page, _ = sign_in(author)
    bell = page.get_by_role("button", name="Notifications")
    expect(bell).to_have_accessible_name("Notifications, 2 unread")
    bell.click()

    entries = page.get_by_role("dialog", name="Notifications").get_by_role("listitem")
    expect(entries).to_have_count(2)
    expect(entries.nth(0)).to_contain_text("Walrus and 1 other follow you.")
    expect(entries.nth(1)).to_contain_text("Narwhal and 2 others like your post.")


def test_following_from_the_list_of_people_fills_the_feed(town: Town, sign_in: OpenPage) -> None:
    reader, author = town.people("Reader", "Author")
    author.publish("Come and see", photos=0)
    page, _ = sign_in(reader)
    expect(page.get_by_text("Nothing here yet.")).to_be_visible()

    page.get_by_role("button", name="People").click()
    page.get_by_role("dialog", name="People").get_by_role("button", name="Author").click()
    profile = page.get_by_role("dialog", name="Author")
    profile.get_by_role("button", name="Follow", exact=True).click()
    expect(profile.get_by_role("button", name="Following")).to_have_attribute("aria-pressed", "true")
    reader.wait_for_feed(author.publish("And again", photos=0)["id"])
    page.reload()

    expect(page.get_by_role("article").first).to_contain_text("And again")
    expect(page.get_by_role("article").nth(1)).to_contain_text("Come and see")


def test_a_block_makes_the_other_one_vanish(town: Town, sign_in: OpenPage) -> None:
    reader, author, friend = town.people("Reader", "Author", "Friend")
    reader.follow(author, friend)
    unwanted = author.publish("Unwanted")
    wanted = friend.publish("Wanted", photos=0)
    reader.wait_for_feed(unwanted["id"], wanted["id"])
    page, witness = sign_in(reader)
    feed = page.get_by_role("feed")
    expect(feed).to_contain_text("Unwanted")
    questions: list[str] = []

    def agree(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.accept()

    page.on("dialog", agree)

    feed.get_by_role("article").filter(has_text="Unwanted").get_by_role("button", name="Author").first.click()
    page.get_by_role("dialog", name="Author").get_by_role("button", name="Block").click()

    expect(page.get_by_text("Author is blocked.")).to_be_visible()
    expect(feed.get_by_role("article")).to_have_count(1)
    expect(feed).to_contain_text("Wanted")
    expect(feed).not_to_contain_text("Unwanted")
    assert questions == ["Block Author? You will no longer see each other, and the follows between you end."]
    other, _ = sign_in(author)
    other.get_by_role("button", name="People").click()
    people = other.get_by_role("dialog", name="People")
    expect(people.get_by_role("button", name="Friend")).to_be_visible()
    expect(people.get_by_role("button", name="Reader")).to_have_count(0)
    assert witness.count("PUT", f"/v1/users/{author.phone.user_id}/block") == 1
