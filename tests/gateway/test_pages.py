"""The gateway's own pages: the demo client, the documentation, and what they load."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from gateway.nginx_process import GATEWAY
from gateway.wire import Wire

WEB = GATEWAY / "web"
PAGES = {"/": "index.html", "/docs": "docs.html"}


@pytest.fixture
def demo(demo_folder: Path) -> Iterator[Path]:
    """Leave a demo.json as the local stack does, for one test."""
    path = demo_folder / "demo.json"
    path.write_text('{"people": []}')
    yield path
    path.unlink()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_html_that_is_asked_for_again(wire: Wire, page: str) -> None:
    reply = wire.get(page)

    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "private, no-cache"
    assert wire.get(page, If_None_Match=reply.headers["etag"]).status == 304


@pytest.mark.parametrize("page", PAGES)
def test_everything_that_a_page_names_is_there_and_ours(wire: Wire, page: str) -> None:
    named = addresses_in(wire.get(page).body.decode())
    missing = {address for address in named if wire.get(urljoin(page, address)).status != 200}

    assert missing == set()
    assert {address for address in named if urlsplit(address).netloc} == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_no_script_but_its_own_files(wire: Wire, page: str) -> None:
    reply = wire.get(page)
    policy = dict(rule.split(" ", 1) for rule in reply.headers["content-security-policy"].split("; "))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert re.search(rb"<script(?![^>]*\ssrc=)|\son\w+=|javascript:|\sstyle=|<style", reply.body) is None


def test_the_demo_client_may_talk_to_s3_and_the_documentation_may_not(wire: Wire) -> None:
    assert "connect-src 'self' http://127.0.0.1:" in wire.get("/").headers["content-security-policy"]
    assert "connect-src 'self';" in wire.get("/docs").headers["content-security-policy"]


def test_every_module_that_a_module_imports_is_there(wire: Wire) -> None:
    modules = sorted((WEB / "app").glob("*.js"))
    imported = {
        name for module in modules for name in re.findall(r'from "\./([\w-]+\.js)"', module.read_text())
    }

    assert imported
    assert {name for name in imported if wire.get(f"/app/{name}").status != 200} == set()
    assert wire.get("/app/main.js").headers["content-type"] == "text/javascript; charset=utf-8"


def test_the_client_loads_nothing_from_elsewhere() -> None:
    ours = [path for path in WEB.rglob("*") if path.suffix in {".js", ".css", ".html", ".svg"}]
    external = {
        (path.name, address)
        for path in ours
        for address in re.findall(r"""(?:https?:)?//[\w.-]+\.\w+[^\s"')]*""", path.read_text())
        if "www.w3.org" not in address
    }
    assert external == set()


@pytest.mark.parametrize("name", ["texts.js", "account-texts.js"])
def test_both_languages_say_the_same_things(name: str) -> None:
    texts = (WEB / "app" / name).read_text()
    english, korean = re.findall(r"const (?:ENGLISH|KOREAN) = \{(.*?)\n\};", texts, re.DOTALL)
    assert re.findall(r"^ +(\w+):", english, re.MULTILINE) == re.findall(r"^ +(\w+):", korean, re.MULTILINE)


def test_demo_people_are_told_where_there_are_any(wire: Wire, demo: Path) -> None:
    reply = wire.get("/demo.json")

    assert reply.json() == json.loads(demo.read_text())
    assert reply.headers["cache-control"] == "no-store"


def test_without_demo_people_there_is_a_problem_and_no_file(wire: Wire) -> None:
    assert wire.get("/demo.json").json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("path", "file"), [("/v1/openapi.json", "openapi.json"), ("/v1/limits", "limits.json")]
)
def test_a_generated_document_is_served_as_it_is(wire: Wire, path: str, file: str) -> None:
    reply = wire.get(path)

    assert reply.body == (WEB / file).read_bytes()
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "public, max-age=300"


def test_swagger_ui_comes_from_our_own_address(wire: Wire) -> None:
    bundle = wire.get("/docs/swagger-ui-bundle.js", Accept_Encoding="gzip")

    assert bundle.status == 200
    assert bundle.headers["content-type"] == "text/javascript; charset=utf-8"
    assert bundle.headers["content-encoding"] == "gzip"
    assert wire.get("/docs/swagger-ui.css").headers["content-type"] == "text/css; charset=utf-8"


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in {"src", "href"} and value}


def addresses_in(html: str) -> set[str]:
    parser = _Addresses()
    parser.feed(html)
    return parser.found
