"""The documents that are drawn from the code say what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from igloo_auth.events import AccountCreated
from igloo_common.event_views import decode_view
from igloo_common.events import decode_envelope
from igloo_local import documents

FILES = documents.files()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_generated_document_is_as_the_code_has_it(path: Path) -> None:
    assert path.read_text() == FILES[path], "stale: run `make docs`"


def test_generating_again_gives_the_same_text() -> None:
    assert documents.files() == FILES


def test_a_stale_document_is_named_and_then_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh, old, missing = tmp_path / "fresh.md", tmp_path / "old.md", tmp_path / "missing.md"
    fresh.write_text("as it is")
    old.write_text("as it was")
    wanted = dict.fromkeys([fresh, old, missing], "as it is")

    assert documents.report_stale(wanted) == 1
    said = capsys.readouterr().err
    assert (str(fresh) in said, str(old) in said, str(missing) in said) == (False, True, True)
    assert not missing.exists()

    assert documents.write(wanted) == 0
    assert documents.report_stale(wanted) == 0
    assert {path.read_text() for path in wanted} == {"as it is"}


def test_the_samples_in_the_document_are_events_that_can_be_read() -> None:
    [text] = [text for path, text in FILES.items() if path.name == "events.md"]
    samples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]

    envelopes = [decode_envelope(json.dumps(sample).encode()) for sample in samples]

    headings = re.findall(r"^## (\S+\.v\d+)$", text, re.MULTILINE)
    assert [envelope.type for envelope in envelopes] == headings
    [created] = [envelope for envelope in envelopes if envelope.type == AccountCreated.type]
    account = decode_view(AccountCreated, created.data)
    assert (created.key, account.display_name) == (account.aggregate_key, "Puffin")


def test_the_diagrams_say_keys_and_what_may_be_missing() -> None:
    [text] = [text for path, text in FILES.items() if path.name == "data-model.md"]

    assert "    uuid account_id FK, UK\n" in text
    assert '    uuid actor_id FK "or null"\n' in text
    assert "  profiles |o--o{ notifications : actor_id\n" in text
    assert "  accounts ||--o| facebook_identities : account_id\n" in text


def test_tables_of_the_same_name_are_told_apart() -> None:
    [text] = [text for path, text in FILES.items() if path.name == "data-model.md"]
    social, media = text.split("\n## media\n")

    assert "| `media_items` | A medium that is ready or has failed" in social
    assert "| `media_items` | One upload, which becomes the media item" in media
