"""The status page of a deletion, as a person sees it in a browser."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.deliveries import erased
from auth.outboxes import published
from auth.phones import Phone
from auth.signed import signed_request
from igloo_auth.jobs.erasure import ErasureLane
from igloo_common.object_store import ObjectStore
from igloo_common.web import provided

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def look(client: FlaskClient, address: str, *, language: str = "en", accept: str = BROWSER) -> TestResponse:
    """Open a page."""
    headers = {"Accept": accept, "Accept-Language": language}
    return client.get(address.removeprefix("http://igloo.test"), headers=headers)


def words(answer: TestResponse) -> str:
    """Return what is to be read on a page."""
    return re.sub(r"<[^>]+>", " ", answer.text.replace("<wbr>", ""))


@pytest.fixture
def address(phone: Phone) -> str:
    """Delete an account and return where its status is shown."""
    return str((phone.delete("/v1/account").json or {})["status_url"])


def test_a_browser_gets_a_page_and_a_program_gets_json(client: FlaskClient, address: str) -> None:
    page = look(client, address)
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    assert page.headers["Cache-Control"] == "no-store"
    for accept in ("application/json", "*/*", ""):
        answer = look(client, address, accept=accept)
        assert (answer.status_code, answer.content_type) == (200, "application/json")
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Accept" in answer.headers["Vary"]


def test_the_page_tells_the_truth_from_the_first_step_to_the_last(
    client: FlaskClient, app: Flask, session: Session, address: str
) -> None:
    begun = words(look(client, address))
    [event] = published(session, "auth.account.deleted.v1")
    with app.app_context():
        ErasureLane(provided(ObjectStore)).step()
    erased(app, "media", event.data, photos=4)
    under_way = words(look(client, address))
    erased(app, "social", event.data, posts=2)
    done = words(look(client, address))

    assert begun.count("not removed yet") == 3
    assert "under way" in begun
    assert under_way.count("not removed yet") == 1
    assert "Profile, posts and all that belongs to them: not removed yet." in under_way
    assert "under way" in under_way
    assert "not removed yet" not in done
    assert "Everything was removed by" in done
    code = address.rpartition("/")[2]
    assert all(code in page for page in (begun, under_way, done))


def test_the_page_speaks_korean_to_who_reads_korean(client: FlaskClient, address: str) -> None:
    page = look(client, address, language="ko-KR,ko;q=0.9,en;q=0.5")

    assert '<html lang="ko">' in page.text
    assert "삭제가 진행 중입니다" in words(page)


def test_the_page_says_when_nothing_was_held(client: FlaskClient) -> None:
    asked = (
        client.post("/v1/auth/facebook/data-deletion", data={"signed_request": signed_request("99999")}).json
        or {}
    )

    page = words(look(client, asked["url"]))

    assert "Nothing was held." in page
    assert "not removed yet" not in page


@pytest.mark.parametrize("language", ["en", "ko"])
def test_an_unknown_code_is_a_page_that_says_so(client: FlaskClient, language: str) -> None:
    page = look(client, "/v1/auth/data-deletions/<script>alert(1)", language=language)

    assert (page.status_code, page.content_type) == (404, "text/html; charset=utf-8")
    assert "script" not in page.text
