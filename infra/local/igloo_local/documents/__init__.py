"""The documents that are drawn from the code: `docs/data-model.md` and `docs/events.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from igloo_local.documents.data_model import data_model
from igloo_local.documents.events import events
from igloo_local.source import ROOT

__all__ = ["files", "report_stale", "write"]

DOCS = ROOT / "docs"


def files() -> dict[Path, str]:
    """Return the text of each generated document; the same code gives the same text."""
    return {DOCS / "data-model.md": data_model(), DOCS / "events.md": events()}


def write(documents: dict[Path, str]) -> int:
    """Write the documents, and say which of them changed."""
    stale = _stale(documents)
    for path, text in documents.items():
        path.write_text(text)
        print(f"{path} {'written' if path in stale else 'is as it was'}")
    return 0


def report_stale(documents: dict[Path, str]) -> int:
    """Name the documents that are not what the code says; returns 1 if there is any."""
    stale = _stale(documents)
    for path in stale:
        print(f"{path} is stale: run `make docs`", file=sys.stderr)
    return 1 if stale else 0


def _stale(documents: dict[Path, str]) -> list[Path]:
    return [path for path, text in documents.items() if not path.exists() or path.read_text() != text]
