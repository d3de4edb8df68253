"""A moderator's desk: the reports that come in, and what is decided about them, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from factories.social_moderation import say
from factories.social_people import add_noise, make_people, make_person, relate
from factories.social_posts import RENDITIONS, add_post_noise, like, make_post
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.schemas.moderation import (
    ActionsPageSchema,
)

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session
    from werkzeug.test import TestResponse

REPORTS = "/v1/moderation/reports"


ACTIONS = "/v1/moderation/actions"


NOBODYS = "01a209d0-0000-7000-8000-000000000000"


IMAGE = {
    "media_id": str(new_id()),
    "width": 2048,
    "height": 1536,
    "blurhash": None,
    "dominant_color": None,
    "alt_text": "A fish",
    "renditions": {
        one["name"]: {name: one[name] for name in ("width", "height", "content_type")} for one in RENDITIONS
    },
}


class Office:
    """A moderator at work, somebody who is reported, and people who report."""

    def __init__(self, client: FlaskClient, session: Session) -> None:
        self.client, self.session = client, session
        self.moderator, self.owner, self.fan = make_people(session, 3)
        add_noise(session, self.moderator, self.owner, self.fan)
        add_post_noise(session)
        relate(session, self.fan, "f", self.owner)
        self.post = make_post(session, self.owner, caption="Fish #snow", images=[IMAGE], tags=["snow"])
        self.comment = say(session, self.owner, self.post, "Buy fish")
        like(session, self.fan, self.post)
        session.commit()

    def target(self, kind: str) -> UUID:
        """Return the id of the owner, or of a thing of theirs."""
        return {"user": self.owner, "post": self.post, "comment": self.comment}[kind]

    def reported(self, kind: str, target: UUID | None = None, *, by: UUID | None = None, **more: str) -> str:
        """Have somebody report something, and return the report's id."""
        reporter = by or make_person(self.session)
        self.session.commit()
        body = {
            "target_kind": kind,
            "target_id": str(target or self.target(kind)),
            "reason": "spam",
            **more,
        }
        reply = self.client.post("/v1/reports", json=body, headers=bearer(reporter))
        assert reply.status_code in (200, 201), reply.get_json()
        report_id: str = reply.get_json()["id"]
        return report_id

    def get(self, path: str, *, by: UUID | None = None) -> TestResponse:
        """Read as a moderator."""
        return self.client.get(path, headers=bearer(by or self.moderator, scopes="moderator user"))

    def post_to(self, path: str, body: dict[str, Any], *, by: UUID | None = None) -> TestResponse:
        """Act as a moderator."""
        headers = bearer(by or self.moderator, scopes="moderator user")
        return self.client.post(path, json=body, headers=headers)

    def resolves(self, report_id: str, resolution: str, **more: Any) -> TestResponse:  # noqa: ANN401 - any JSON
        """Decide about a report."""
        by = more.pop("by", None)
        return self.post_to(f"{REPORTS}/{report_id}/resolve", {"resolution": resolution, **more}, by=by)

    def reopens(self, report_id: str, **more: Any) -> TestResponse:  # noqa: ANN401 - any JSON
        """Take a decision back."""
        by = more.pop("by", None)
        return self.post_to(f"{REPORTS}/{report_id}/reopen", more, by=by)

    def actions(self, query: str = "") -> list[tuple[str, str, str]]:
        """Read the trail, the last first, as (action, report, note)."""
        reply = self.get(f"{ACTIONS}{query}")
        assert reply.status_code == 200
        assert ActionsPageSchema().validate(reply.get_json()) == {}
        return [(one["action"], one["report_id"], one["note"]) for one in reply.get_json()["data"]]

    def sees(self, viewer: UUID, path: str) -> int:
        """Return what a person is answered."""
        return self.client.get(path, headers=bearer(viewer)).status_code


def ids(reply: TestResponse) -> list[str]:
    return [entry["id"] for entry in reply.get_json()["data"]]
