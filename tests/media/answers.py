"""What the media service answers, read for the tests."""

from __future__ import annotations

from typing import Any


def code_of(answer: Any) -> tuple[int, str]:  # noqa: ANN401 - Werkzeug's TestResponse
    """Return status and code of a refusal."""
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.get_json()["code"]


def pointers_of(answer: Any) -> list[str]:  # noqa: ANN401 - Werkzeug's TestResponse
    """Return which values of a request were refused."""
    return [error["pointer"] for error in answer.get_json()["errors"]]
