"""Every operation that names a person, a post, a comment or a photo, tried by everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from contracts.access.calls import Operation, body_of, components, operations, path_of, unknown_path_of
from contracts.access.outcomes import CALLERS, RULES, Outcome, expected
from contracts.access.worlds import SETTINGS, SUSPENDED, Actor, Setting, World
from factories.tokens import token_for
from igloo_common.ids import new_id

BuildWorld = Callable[[Actor, Setting], World]

# The other services name sessions, exports and deletions; their own tests try those.
NAMED: Final = ("person", "post", "comment", "media", "upload", "target", "report", "device")
_OF_POSTS: Final = ("post", "comment", "target")


def concerned() -> list[Operation]:
    """List the operations of the services in question."""
    return [
        operation
        for operation in operations()
        if operation.access.get("caller") != "signature"  # nginx answers; tests/gateway tries every address
        and (not operation.objects or any(rule.split(".")[0] in NAMED for rule in operation.objects.values()))
    ]


def _settings_of(operation: Operation) -> tuple[Setting, ...]:
    kinds = {rule.split(".")[0] for rule in operation.objects.values()}
    if kinds & set(_OF_POSTS):
        return (*SETTINGS, SUSPENDED)
    return (*SETTINGS[:2], SUSPENDED) if "person" in kinds else SETTINGS[:1]


NAMING: Final = [operation for operation in concerned() if operation.objects]
CASES: Final = [(operation, setting) for operation in NAMING for setting in _settings_of(operation)]


@pytest.mark.parametrize(("operation", "setting"), CASES, ids=str)
def test_everybody_gets_what_the_rule_says(
    operation: Operation,
    setting: Setting,
    build_world: BuildWorld,
    apps: Mapping[str, Flask],
) -> None:
    client, [rule] = client_of(apps, operation), set(operation.objects.values())
    answers, promised = {}, {}
    for actor in Actor:
        world = build_world(actor, setting)
        answer = call(client, operation, world)
        answers[actor] = outcome_of(answer)
        promised[actor] = expected(operation.id, operation.access, rule, world)
        if promised[actor] is Outcome.HIDDEN is RULES[rule](world):
            assert said(answer) == said(call_unknown(client, operation, world)), actor

    assert answers == promised


@pytest.mark.parametrize("actor", [Actor.BLOCKED, Actor.BLOCKING])
@pytest.mark.parametrize(
    "operation", [one for one in concerned() if one.method == "GET" and not one.objects], ids=str
)
def test_no_list_shows_a_trace_of_somebody_behind_a_block(
    operation: Operation, actor: Actor, build_world: BuildWorld, apps: Mapping[str, Flask]
) -> None:
    world = build_world(actor, SETTINGS[0])
    client = client_of(apps, operation)
    if client is None:
        return

    answer = call(client, operation, world)

    # One's own list of blocks is what a block is undone from.
    traces = [str(world.owner_id), str(world.post_id), world.owner_name]
    allowed = operation.id == "listMyBlocks" and actor is Actor.BLOCKING
    assert allowed or not any(trace in answer.text for trace in traces)


def test_every_operation_has_a_known_rule_for_everything_that_it_names() -> None:
    unknown = [
        (operation.id, rule)
        for operation in concerned()
        for rule in operation.objects.values()
        if rule not in RULES
    ]
    callers = {operation.access.get("caller") for operation in operations()}

    assert unknown == []
    assert callers <= CALLERS


def test_no_operation_names_something_without_a_rule() -> None:
    silent = [
        f"{operation.id}: {name}"
        for operation in operations()
        for name in sorted(named_by(operation))
        if name not in operation.objects and (operation.id, name) not in FREE
    ]

    assert silent == []


# Names that a client makes up, or that are no secret of anybody's.
FREE: Final = {("getRendition", "rendition"), ("listTagPosts", "tag")}


def named_by(operation: Operation) -> set[str]:
    """List the parameters of the path, and all else in a request that is an id of ours."""
    parameters = operation.document.get("parameters", ())
    names = {one["name"] for one in parameters if one["in"] == "path" or _is_id(one.get("schema", {}))}
    content = operation.document.get("requestBody", {}).get("content", {})
    schema = resolved(content.get("application/json", {}).get("schema", {}))
    return names | {name for name, member in schema.get("properties", {}).items() if _is_id(member)}


def _is_id(schema: Mapping[str, Any]) -> bool:
    return schema.get("format") == "uuid" or _is_id_list(schema)


def _is_id_list(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("type") == "array" and schema.get("items", {}).get("format") == "uuid")


def client_of(apps: Mapping[str, Flask], operation: Operation) -> FlaskClient | None:
    """Return a client of the service that answers an operation; None when it is neither of the two."""
    for app in apps.values():
        try:
            app.url_map.bind("igloo.test").match(unknown_path_of(operation), method=operation.method)
        except HTTPException:
            continue
        return app.test_client()
    return None


def call(client: FlaskClient | None, operation: Operation, world: World) -> TestResponse:
    """Call an operation about the world's owner as the world's actor."""
    return _send(client, operation, path_of(operation, world), world)


def call_unknown(client: FlaskClient | None, operation: Operation, world: World) -> TestResponse:
    """Call it as the same person about things that nobody has."""
    nobody = replace(world, owner_id=new_id(), post_id=new_id(), comment_id=new_id(), media_id=new_id())
    return _send(client, operation, unknown_path_of(operation), nobody)


def _send(client: FlaskClient | None, operation: Operation, path: str, world: World) -> TestResponse:
    assert client is not None, f"no service answers {operation.method} {operation.path}"
    token = token_for(world.actor_id, session_id=world.session_id, scopes="user")
    headers = {} if world.actor is Actor.ANONYMOUS else {"Authorization": f"Bearer {token}"}
    body = body_of(operation, world)
    more: dict[str, Any] = {} if body is None else {"json": body}
    return client.open(path, method=operation.method, headers=headers, **more)


def outcome_of(answer: TestResponse) -> Outcome:
    """Name an answer; one that is no outcome of any rule fails the test."""
    outcome = "2xx" if answer.status_code // 100 == 2 else str(answer.status_code)
    assert outcome in set(Outcome), answer.text
    return Outcome(outcome)


def said(answer: TestResponse) -> tuple[int, dict[str, Any]]:
    """Return what an answer tells, without the request's own id."""
    told = answer.get_json()
    return answer.status_code, {name: value for name, value in told.items() if name != "request_id"}


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference into the document's components."""
    reference = schema.get("$ref")
    return schema if reference is None else components()[reference.rsplit("/", 1)[-1]]
