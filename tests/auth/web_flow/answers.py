"""What tests of the web flow send, and read out of answers."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.browsers import query_of

EXCHANGE = "/oauth/access_token"


A_PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def count(session: Session, table: type[Any]) -> int:
    """Return how many rows a table has by now."""
    session.rollback()
    return session.scalar(select(func.count()).select_from(table)) or 0


def refusal(answer: TestResponse) -> tuple[int, str | None, str | None]:
    """Return what a problem document says."""
    problem = answer.json or {}
    return answer.status_code, problem.get("code"), problem.get("reason")


def cookie_of(address: str) -> tuple[str, str, str]:
    """Return name, domain and path of the cookie that binds the sign-in of a callback's address."""
    digest = hashlib.sha256(query_of(address)["state"].encode()).hexdigest()
    return f"igloo_sign_in_{digest[:16]}", "igloo.test", "/v1/auth/facebook"
