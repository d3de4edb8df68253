"""docs/auth.md knows every refusal of the auth service, and no other."""

from __future__ import annotations

import importlib
import pkgutil
import re

import igloo_auth
from igloo_auth.models.sessions import RevocationReason
from igloo_auth.settings import RateLimits
from igloo_common import identity, rate_limits
from igloo_common.errors import IglooError
from igloo_local.source import ROOT

TEXT = (ROOT / "docs" / "auth.md").read_text()
ENTRY_POINTS = ("igloo_auth.wsgi", "igloo_auth.migrations")
SHARED = (
    identity.AuthenticationRequired,
    identity.InvalidToken,
    identity.TokenExpired,
    rate_limits.RateLimitExceeded,
)


def refusals() -> set[str]:
    """Return the codes of everything that the auth service raises."""
    for module in pkgutil.walk_packages(igloo_auth.__path__, "igloo_auth."):
        if not module.name.startswith(ENTRY_POINTS):
            importlib.import_module(module.name)
    own = {kind for kind in _below(IglooError) if kind.__module__.startswith("igloo_auth.")}
    # A class that others refine is a category; nobody raises it.
    return {kind.code for kind in own if kind.__name__ != "GrantRefused"} | {kind.code for kind in SHARED}


def _below(kind: type[IglooError]) -> set[type[IglooError]]:
    return {kind, *(found for each in kind.__subclasses__() for found in _below(each))}


def documented() -> dict[str, str]:
    """Return the table's rows by code."""
    table = TEXT.split("## What a refusal says")[1].split("\nWhat ends in the browser")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    return {code: row for row in rows for code in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_every_refusal_has_its_row_and_every_row_is_a_refusal() -> None:
    assert set(documented()) == refusals()


def test_every_reason_for_the_end_of_a_session_is_there() -> None:
    said = set(re.findall(r"`(\w+)`", documented()["session_revoked"].split("|")[3]))

    assert said == {reason.value for reason in RevocationReason}


def test_every_limit_has_its_row() -> None:
    table = TEXT.split("## Limits")[1]

    assert table.count("`IGLOO_") == len(RateLimits.__dataclass_fields__)
