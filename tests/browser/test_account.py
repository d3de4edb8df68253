"""Looking after one's account: devices, security activity, a copy of one's data, and leaving for good."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.conftest import OpenPage, watched_page
from browser.town import Person, Town
from igloo_local.phone import Json, Phone, Refused, wait_until

pytestmark = pytest.mark.browser


def open_account(page: Page, person: Person, entry: str) -> Locator:
    """Open an entry of the account's menu and return its sheet."""
    page.get_by_role("button", name=f"Your profile, {person.display_name}").click()
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("dialog", name="Your account").get_by_role("button", name=entry).click()
    sheet = page.get_by_role("dialog", name=entry)
    expect(sheet).to_be_visible()
    return sheet


def signed_in_phone(town: Town, person: Person) -> Phone:
    """Sign one more device of a person in."""
    phone = Phone(gateway=town.gateway)
    phone.sign_in(person.facebook_access_token)
    return phone


def test_a_device_is_signed_out_and_told_why(town: Town, sign_in: OpenPage) -> None:
    [hare] = town.people("Snow Hare")
    page, _ = sign_in(hare)
    left, witness = sign_in(hare)
    sheet = open_account(page, hare, "Devices")
    # The phone that the town gave, this browser, and the other one.
    expect(sheet.get_by_role("listitem")).to_have_count(3)
    here = sheet.get_by_role("listitem").first
    expect(here).to_contain_text("This device")
    expect(here).to_contain_text("Chrome, Linux")
    expect(here).to_contain_text("127.0.0.0/24")
    expect(here.get_by_role("button")).to_have_count(0)

    sheet.get_by_role("button", name="Sign out Chrome, Linux").click()
    expect(sheet.get_by_role("status")).to_contain_text("Chrome, Linux is signed out.")
    expect(sheet.get_by_role("listitem")).to_have_count(2)
    expect(sheet.get_by_role("button", name="Sign out A device without a name")).to_be_focused()

    expect(left.get_by_text("You have been signed out of this device from another one.")).to_be_visible()
    expect(left.get_by_role("button", name="Continue with Facebook")).to_be_visible()
    witness.forgive(status=401, path="/v1/")
    witness.forgive(status=400, path="/v1/auth/token")


def test_all_other_devices_are_signed_out_at_once(town: Town, sign_in: OpenPage) -> None:
    [hare] = town.people("Snow Hare")
    page, _ = sign_in(hare)
    others = [hare.phone, signed_in_phone(town, hare)]
    sheet = open_account(page, hare, "Devices")
    expect(sheet.get_by_role("listitem")).to_have_count(3)

    sheet.get_by_role("button", name="Sign out all other devices").click()

    expect(sheet.get_by_role("status")).to_contain_text("2 other devices are signed out.")
    expect(sheet.get_by_text("You are signed in nowhere else.")).to_be_visible()
    expect(sheet.get_by_role("listitem")).to_have_count(1)
    for phone in others:
        with pytest.raises(Refused) as refusal:
            phone.refresh()
        assert refusal.value.problem["reason"] == "revoked_by_owner"
    page.reload()
    expect(page.get_by_text("Nothing here yet.")).to_be_visible()


def test_signing_out_everywhere_includes_this_device(town: Town, sign_in: OpenPage) -> None:
    [hare] = town.people("Snow Hare")
    page, _ = sign_in(hare)
    page.on("dialog", lambda dialog: dialog.accept())
    sheet = open_account(page, hare, "Devices")

    sheet.get_by_role("button", name="Sign out everywhere").click()

    expect(page.get_by_text("You have signed out.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    with pytest.raises(Refused):
        hare.phone.refresh()


def test_security_activity_tells_of_sign_ins_a_page_at_a_time(town: Town, sign_in: OpenPage) -> None:
    hare, _ = town.people("Snow Hare", "Arctic Tern")
    for _ in range(20):
        signed_in_phone(town, hare)
    page, _ = sign_in(hare)
    sheet = open_account(page, hare, "Security activity")
    lines = sheet.get_by_role("listitem")

    expect(lines).to_have_count(20)
    expect(lines.first).to_contain_text("Signed in on Chrome, Linux with Facebook's app")
    expect(lines.first).to_contain_text("from 127.0.0.0/24")
    sheet.get_by_role("button", name="Show more").click()

    # The town's own phone, twenty more, and this browser.
    expect(lines).to_have_count(22)
    expect(sheet.get_by_role("button", name="Show more")).to_be_hidden()
    expect(lines.nth(20)).to_be_focused()


def test_a_kind_of_activity_that_is_new_is_shown_as_it_is(town: Town, sign_in: OpenPage) -> None:
    [hare] = town.people("Snow Hare")
    page, _ = sign_in(hare)
    line: Json = {
        "kind": "moved_house",
        "details": {},
        "ip_prefix": None,
        "occurred_at": "2026-01-02T03:04:05Z",
    }
    answer = {"data": [line], "page": {"next_cursor": None, "prev_cursor": None}}
    page.route("**/v1/account/security-events**", lambda route: route.fulfill(json=answer))

    sheet = open_account(page, hare, "Security activity")

    expect(sheet.get_by_role("listitem")).to_contain_text("moved_house")


def test_a_copy_of_everything_is_prepared_and_downloaded(
    town: Town, sign_in: OpenPage, tmp_path: Path
) -> None:
    [hare] = town.people("Snow Hare")
    hare.publish("Something to take along")
    page, _ = sign_in(hare)
    sheet = open_account(page, hare, "A copy of my data")

    sheet.get_by_role("button", name="Prepare a copy").click()
    expect(sheet.get_by_role("status").first).to_have_text("Your copy is ready.")
    with page.expect_download() as download:
        sheet.get_by_role("link", name="Download").click()

    download.value.save_as(tmp_path / "copy.zip")
    with zipfile.ZipFile(tmp_path / "copy.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        texts = "".join(archive.read(name).decode() for name in names if name.endswith(".json"))
    assert "Something to take along" in texts
    assert {name.split("/")[0] for name in names} >= {"auth", "social", "media"}
    page.reload()
    again = open_account(page, hare, "A copy of my data")
    expect(again.get_by_role("link", name="Download")).to_be_visible()


def test_an_account_is_deleted_with_a_receipt_that_reaches_its_end(town: Town, sign_in: OpenPage) -> None:
    hare, _ = town.people("Snow Hare", "Arctic Tern")
    hare.publish("Soon gone")
    page, _ = sign_in(hare)
    sheet = open_account(page, hare, "Delete my account")
    remove = sheet.get_by_role("button", name="Delete for good")
    typed = sheet.get_by_label(f"Type {hare.username} to confirm")
    expect(remove).to_be_disabled()
    typed.fill("something else")
    expect(remove).to_be_disabled()
    typed.fill(hare.username)

    typed.press("Enter")

    expect(page.get_by_role("heading", name="Your account has been deleted")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("listitem").filter(has_text="done")).to_have_count(3)
    code = page.locator("code").inner_text()
    page.reload()
    expect(page.locator("code")).to_have_text(code)
    assert_status_page_tells(page, code)
    with pytest.raises(Refused) as refusal:
        hare.phone.refresh()
    assert refusal.value.problem["reason"] == "account_deleted"

    page.get_by_role("button", name="Back to the start").click()
    expect(page.get_by_role("button", name="Continue with Facebook")).to_be_visible()


def assert_status_page_tells(page: Page, code: str) -> None:
    """The public page opens in a tab of its own, and says that all is done."""
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Open the status page").click()
    expect(popup.value.get_by_role("heading", name="Deletion of an igloo account")).to_be_visible()
    expect(popup.value.locator("main")).to_contain_text(code)
    expect(popup.value.locator("main")).to_contain_text("Everything was removed")
    popup.value.close()


def test_another_tab_learns_that_the_account_is_gone(town: Town, sign_in: OpenPage) -> None:
    [hare] = town.people("Snow Hare")
    page, _ = sign_in(hare)
    tab, witness = watched_page(page.context, town)
    tab.goto(f"{town.gateway}/")
    expect(tab.get_by_role("button", name="New post")).to_be_visible()
    sheet = open_account(page, hare, "Delete my account")

    sheet.get_by_label(f"Type {hare.username} to confirm").fill(hare.username)
    sheet.get_by_role("button", name="Delete for good").click()

    expect(tab.get_by_text("You have been signed out because this account was deleted.")).to_be_visible()
    assert witness.complaints == []


def test_facebook_friends_are_suggested_and_followed(town: Town, sign_in: OpenPage) -> None:
    hare, tern = town.people("Snow Hare", "Arctic Tern")
    tern.publish("From a friend", photos=0)
    town.befriend(hare, tern)
    phone = signed_in_phone(town, hare)
    path = "/v1/users/me/suggestions"
    wait_until(lambda: phone.call("GET", path)["data"], bool, what="igloo knows of the friendship")
    page, _ = sign_in(hare)

    section = page.get_by_role("region", name="People you may know")
    follow = section.get_by_role("button", name="Follow Arctic Tern")
    follow.click()

    expect(follow).to_have_text("Following")
    expect(follow).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="New posts").click()
    expect(page.get_by_role("article")).to_contain_text("From a friend")
    expect(section).to_have_count(0)
