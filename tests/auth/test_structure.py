"""What holds for the service as a whole: its document, its access rules, its migrations."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from igloo_common.access import assert_every_operation_has_access

OPERATIONS = {
    ("get", "/.well-known/jwks.json"): "public",
    ("get", "/.well-known/openid-configuration"): "public",
    ("post", "/v1/auth/nonces"): "public",
    ("post", "/v1/auth/token"): "public",
    ("post", "/v1/auth/revoke"): "public",
    ("get", "/v1/auth/facebook/authorize"): "public",
    ("get", "/v1/auth/facebook/callback"): "public",
    ("get", "/v1/auth/sessions"): "user",
    ("delete", "/v1/auth/sessions"): "user",
    ("delete", "/v1/auth/sessions/{session_id}"): "user",
    ("post", "/v1/auth/facebook/deauthorize"): "public",
    ("post", "/v1/auth/facebook/data-deletion"): "public",
    ("get", "/v1/auth/data-deletions/{confirmation_code}"): "public",
    ("get", "/v1/account"): "user",
    ("delete", "/v1/account"): "user",
    ("post", "/v1/account/exports"): "user",
    ("get", "/v1/account/exports/{export_id}"): "user",
    ("get", "/v1/account/security-events"): "user",
}


def test_every_operation_is_documented_with_its_access_rule(app: Flask, client: FlaskClient) -> None:
    assert_every_operation_has_access(app)

    paths = (client.get("/openapi.json").json or {})["paths"]

    methods = ("get", "put", "post", "delete", "patch")
    documented = {
        (method, path): item[method]["x-igloo-access"]["caller"]
        for path, item in paths.items()
        for method in methods
        if method in item
    }
    assert documented == OPERATIONS


def test_every_operation_has_a_name_a_summary_and_a_documented_answer(client: FlaskClient) -> None:
    paths = (client.get("/openapi.json").json or {})["paths"]

    for method, path in OPERATIONS:
        operation = paths[path][method]
        assert operation["operationId"], path
        assert operation["summary"], path
        assert {"200", "201", "202", "204", "302"} & set(operation["responses"]), path


def test_the_token_request_is_documented_as_form_and_as_json(client: FlaskClient) -> None:
    operation = (client.get("/openapi.json").json or {})["paths"]["/v1/auth/token"]["post"]

    content = operation["requestBody"]["content"]
    grants = ("FacebookTokenGrant", "IdTokenGrant", "AuthorizationCodeGrant", "RefreshTokenGrant")
    references = [{"$ref": f"#/components/schemas/{name}"} for name in grants]
    assert {kind: body["schema"]["oneOf"] for kind, body in content.items()} == {
        "application/x-www-form-urlencoded": references,
        "application/json": references,
    }


@pytest.mark.parametrize(("method", "path"), [key for key, rule in OPERATIONS.items() if rule == "user"])
def test_an_operation_for_users_refuses_everybody_else(client: FlaskClient, method: str, path: str) -> None:
    address = re.sub(r"\{\w+\}", "01900000-0000-7000-8000-000000000000", path)

    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic bm86bm8="}):
        answer = client.open(address, method=method.upper(), headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_models_say_what_the_migrations_made(environ: dict[str, str]) -> None:
    command = [sys.executable, "-m", "flask", "--app", "igloo_auth.app", "db", "check"]

    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - fixed

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_migrations_can_be_taken_back_and_made_again(environ: dict[str, str]) -> None:
    flask = [sys.executable, "-m", "flask", "--app", "igloo_auth.app", "db"]

    for step in (["downgrade", "base"], ["upgrade"]):
        done = subprocess.run([*flask, *step], env=environ, capture_output=True, text=True, check=False)  # noqa: S603
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_topology_of_the_service_can_be_declared(environ: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flask", "--app", "igloo_auth.app", "events", "declare"]

    done = subprocess.run(  # noqa: S603 - fixed words
        command,
        env={**environ, "IGLOO_BROKER_URL": f"filesystem://{tmp_path / 'broker'}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "auth.events: 6 event types\n"), done.stderr
