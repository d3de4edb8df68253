"""A room for tests of exports: the other services' parts, the worker's lane, and the archive in the end."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import requests
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from auth.deliveries import collected
from auth.outboxes import published
from auth.phones import Phone
from igloo_auth.jobs.exports import ExportLane
from igloo_common.object_store import ObjectStore

PHOTO = bytes(range(256)) * 300
PARTS: Mapping[str, Mapping[str, bytes]] = {
    "social": {
        "profile.json": b'{"username": "hare"}',
        "posts.json": b'[{"caption": "\xec\x96\xbc\xec\x9d\x8c"}]',
    },
    "media": {"photos.json": b"[]", "photos/1.webp": PHOTO},
}


@dataclass(kw_only=True)
class ExportRoom:
    """The application with its bucket, and a session to look into the database."""

    app: Flask
    store: ObjectStore
    session: Session

    def ask(self, phone: Phone) -> dict[str, Any]:
        """Ask for an export."""
        answer = phone.client.post("/v1/account/exports", headers=phone.authorization)
        assert answer.status_code == 202, answer.text
        return answer.json or {}

    def look(self, phone: Phone, export: Mapping[str, Any]) -> dict[str, Any]:
        """Read how an export stands."""
        answer = phone.get(f"/v1/account/exports/{export['id']}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.json or {}

    def requested(self, export: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the other services were told."""
        events = published(self.session, "auth.export.requested.v1")
        return next(event.data for event in events if event.data["export_id"] == export["id"])

    def put_parts(self, export: Mapping[str, Any], parts: Mapping[str, Mapping[str, bytes]] = PARTS) -> None:
        """Put the other services' parts into S3."""
        prefix = self.requested(export)["parts_prefix"]
        for service, files in parts.items():
            for name, content in files.items():
                self.store.put(f"{prefix}{service}/{name}", content, content_type="application/octet-stream")

    def deliver_parts(self, export: Mapping[str, Any], *services: str) -> None:
        """Have the other services say that their parts are there."""
        for service in services or ("social", "media"):
            collected(self.app, service, self.requested(export))

    def step(self) -> bool:
        """Do one step as the worker does."""
        with self.app.app_context():
            return ExportLane(self.store).step()

    def work(self) -> int:
        """Work until nothing is due; return how many steps it took."""
        steps = 0
        while self.step():
            steps += 1
            assert steps < 20, "the lane goes round in circles"
        return steps

    def ready(self, phone: Phone) -> dict[str, Any]:
        """Make an export from beginning to end."""
        export = self.ask(phone)
        self.put_parts(export)
        self.deliver_parts(export)
        self.work()
        done = self.look(phone, export)
        assert done["state"] == "ready", done
        return done

    def objects(self, export: Mapping[str, Any] | None = None) -> list[str]:
        """List the objects of an export, or of all."""
        prefix = f"exports/{export['id']}/" if export else ""
        return [found.key.removeprefix(prefix) for found in self.store.listing(prefix)]

    def let_time_pass(self, span: timedelta) -> None:
        """Make every export this much older."""
        self.session.execute(
            text(
                "UPDATE account_exports SET requested_at = requested_at - :span,"
                " expires_at = expires_at - :span, due_at = due_at - :span"
            ),
            {"span": span},
        )
        self.session.commit()

    def row(self, export: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a row of any columns
        """Return the export's row."""
        self.session.rollback()
        return self.session.execute(
            text("SELECT * FROM account_exports WHERE id = :id"), {"id": UUID(str(export["id"]))}
        ).one()


def downloaded(export: Mapping[str, Any]) -> ZipFile:
    """Download an archive as a phone does and open it."""
    answer = requests.get(export["download"]["url"], timeout=10)
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["Content-Disposition"]
    assert len(answer.content) == export["download"]["size_bytes"]
    return ZipFile(io.BytesIO(answer.content))
