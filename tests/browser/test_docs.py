"""The documentation page, drawn by the gateway's own copy of Swagger UI."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenPage
from browser.town import Town
from igloo_local.source import ROOT

pytestmark = pytest.mark.browser

METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


def documented() -> set[tuple[str, str]]:
    """Return every operation of the merged document as (method, path)."""
    document = json.loads((ROOT / "gateway" / "web" / "openapi.json").read_text())
    return {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if method in METHODS
    }


def test_the_page_shows_every_operation_of_the_document(town: Town, open_page: OpenPage) -> None:
    town.people("Reader")
    page, _ = open_page(path="/docs")
    operations = page.locator(".opblock")
    expect(operations).to_have_count(len(documented()))

    shown = operations.evaluate_all(
        """(all) => all.map((one) => [one.querySelector(".opblock-summary-method").textContent,
            one.querySelector(".opblock-summary-path").dataset.path])"""
    )

    assert {(method, path) for method, path in shown} == documented()


def test_an_operation_is_tried_as_a_demo_person(town: Town, open_page: OpenPage) -> None:
    [reader] = town.people("Reader")
    page, _ = open_page(path="/docs")
    page.get_by_label("Try it as").select_option("Reader")
    expect(page.locator("#signed-in")).to_contain_text("Every request carries their token")

    operation = page.locator('.opblock-get:has([data-path="/v1/users/me"])')
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Execute").click()

    expect(operation.locator(".live-responses-table tbody .response-col_status")).to_have_text("200")
    expect(operation.locator(".live-responses-table")).to_contain_text(reader.username)
