"""The merged document says what the services say, and the gateway routes just what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gateway.nginx_process import GATEWAY, REPOSITORY
from gateway.routes import Route, read_routes
from gateway.upstreams import Upstream
from gateway.wire import Wire
from igloo_local.openapi.merging import ClashingDocuments, is_private, merge

Json = dict[str, Any]
ID = "0190a6c4-0000-7000-8000-000000000001"
INFO = {"title": "t", "version": "1"}
NOTHING_OF_ITS_OWN: Json = {"paths": {}, "components": {}, "tags": []}


def document() -> Json:
    content: Json = json.loads((GATEWAY / "web" / "openapi.json").read_text())
    return content


def operations(*, of_gateway: bool) -> Iterator[tuple[str, str, str]]:
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            if method != "parameters" and ("x-igloo-service" not in operation) is of_gateway:
                yield method.upper(), path, operation.get("x-igloo-service", "gateway")


def test_the_generated_files_are_fresh() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "igloo_local.openapi", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(("method", "path", "service"), list(operations(of_gateway=False)))
def test_a_documented_operation_reaches_its_service(
    wire: Wire, upstreams: Mapping[str, Upstream], method: str, path: str, service: str
) -> None:
    target = re.sub(r"\{\w+\}", ID, path)

    wire.request(method, target, body=b"{}")

    assert [(received.method, received.target) for received in upstreams[service].received] == [
        (method, target)
    ]


@pytest.mark.parametrize(("method", "path", "_service"), list(operations(of_gateway=True)))
def test_a_documented_operation_of_the_gateway_is_answered(
    wire: Wire, method: str, path: str, _service: str
) -> None:
    target = path.replace("{media_id}", ID).replace("{rendition}", "feed")
    assert wire.request(method, target).status != 404


@pytest.mark.parametrize("route", read_routes(), ids=lambda route: route.pattern)
def test_a_route_is_documented(route: Route) -> None:
    exact = {other.pattern for other in read_routes() if other.exact}
    taken = [
        path
        for _, path, service in operations(of_gateway=False)
        if service == route.service
        and route.answers(target := re.sub(r"\{\w+\}", ID, path))
        and (route.exact or target not in exact)
    ]
    assert taken, "documented nowhere: take the line out of routes.conf, or run `make openapi`"


def test_every_operation_says_who_may_call_it() -> None:
    silent = [
        f"{method} {path}"
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method != "parameters" and not operation.get("x-igloo-access", {}).get("caller")
    ]
    assert silent == []


def test_no_private_path_is_documented() -> None:
    assert [path for path in document()["paths"] if is_private(path) and path != "/healthz"] == []


def test_every_reference_leads_somewhere() -> None:
    content = document()
    references = set(re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(content)))
    assert {name for kind, name in references if name not in content["components"].get(kind, {})} == set()


def test_the_same_component_of_two_services_stays_one() -> None:
    merged = merge(
        {"auth": service("/a", page={"type": "object"}), "social": service("/b", page={"type": "object"})},
        own=NOTHING_OF_ITS_OWN,
        info=INFO,
    )
    assert merged["components"]["schemas"] == {"Page": {"type": "object"}}


def test_a_component_that_services_mean_otherwise_gets_the_second_ones_name() -> None:
    merged = merge(
        {"auth": service("/a", page={"type": "object"}), "media": service("/b", page={"type": "array"})},
        own=NOTHING_OF_ITS_OWN,
        info=INFO,
    )

    assert merged["components"]["schemas"] == {"Page": {"type": "object"}, "MediaPage": {"type": "array"}}
    assert schema_of(merged, "/a") == "#/components/schemas/Page"
    assert schema_of(merged, "/b") == "#/components/schemas/MediaPage"


def test_private_paths_and_what_only_they_use_are_left_out() -> None:
    documents = {"auth": service("/a", page={}), "media": service("/internal/x", page={"type": "array"})}
    merged = merge(documents, own=NOTHING_OF_ITS_OWN, info=INFO)

    assert list(merged["paths"]) == ["/a"]
    assert list(merged["components"]["schemas"]) == ["Page"]
    assert [tag["name"] for tag in merged["tags"]] == ["/a"]


def test_a_path_that_two_services_claim_is_refused() -> None:
    with pytest.raises(ClashingDocuments, match="/a"):
        merge(
            {"auth": service("/a", page={}), "social": service("/a", page={})},
            own=NOTHING_OF_ITS_OWN,
            info=INFO,
        )


def test_an_operation_id_that_is_there_twice_is_refused() -> None:
    one, other = service("/a", page={}), service("/b", page={})
    other["paths"]["/b"]["get"]["operationId"] = "/a"
    with pytest.raises(ClashingDocuments, match="operationId"):
        merge({"auth": one, "social": other}, own=NOTHING_OF_ITS_OWN, info=INFO)


def service(path: str, *, page: Json) -> Json:
    """Make a small document of one operation that answers with a Page."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}
    operation = {"operationId": path, "tags": [path], "responses": {"200": {"content": content}}}
    return {
        "openapi": "3.0.3",
        "paths": {path: {"get": operation}},
        "components": {"schemas": {"Page": page}},
        "tags": [{"name": path}],
    }


def schema_of(merged: Json, path: str) -> str:
    content = merged["paths"][path]["get"]["responses"]["200"]["content"]
    reference = content["application/json"]["schema"]["$ref"]
    assert isinstance(reference, str)
    return reference
