"""Writes what the gateway serves of the services' documents: `openapi.json` and `limits.json`."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

from igloo_local.openapi.limits import limits
from igloo_local.openapi.merging import Json, merge
from igloo_local.openapi.services import service_documents
from igloo_local.source import ROOT

WEB = ROOT / "gateway" / "web"
DESCRIPTION = """\
The API of igloo, a photo-sharing social app. Sign in with a Facebook token at `POST /v1/auth/token`, send the
access token as `Authorization: Bearer`, and renew it with the refresh token.

Errors are problem documents (RFC 9457): branch on `code`, show `detail`, quote `request_id`. Lists have
opaque cursors. Creating requests take an `Idempotency-Key`: a repeated request gets the first answer."""


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` tell which of them are not what they should be."""
    stale = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale: run `make openapi`", file=sys.stderr)
        return 1 if stale else 0
    for path, text in files().items():
        path.write_text(text)
        print(f"{path.relative_to(ROOT)} {'written' if path in stale else 'is as it was'}")
    return 0


def files() -> dict[Path, str]:
    """Return the text of each generated file; the same services give the same text."""
    return {WEB / "openapi.json": _text(document()), WEB / "limits.json": _text(limits())}


def document() -> Json:
    """Return the merged document."""
    own: Json = json.loads((ROOT / "gateway" / "openapi.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    info: Json = {"title": "igloo", "version": project["version"], "description": DESCRIPTION}
    return merge(service_documents(), own=own, info=info)


def _text(content: object) -> str:
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
