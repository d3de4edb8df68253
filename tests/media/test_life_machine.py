"""A photo's life through any sequence of calls, sweeps, claims, lost leases and deletions: told truly."""

# ruff: noqa: D102 - what a rule does is shorter than a sentence about it

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlalchemy.orm import Session

from igloo_common.clock import utc_now
from igloo_common.database import Reader, reading, transaction
from igloo_common.errors import IglooError
from igloo_common.ids import new_id
from igloo_media.events import RenditionFacts
from igloo_media.models import MediaItem, ThumbTask
from igloo_media.operations.collection import collect_unattached, settle_forgotten, take_forgotten
from igloo_media.operations.completions import complete_upload
from igloo_media.operations.items import ItemEdit, attach_items, delete_item, delete_items_of_post, edit_item
from igloo_media.operations.processing import (
    Claim,
    RenderedPhoto,
    claim_next,
    finish_failed,
    finish_ready,
    give_back,
    let_go,
)
from igloo_media.operations.recounts import wrongly_counted
from igloo_media.operations.takedowns import take_back, take_down
from igloo_media.operations.thumbs import (
    ThumbClaim,
    claim_thumb,
    finish_thumb,
    give_back_thumb,
    give_up_thumb,
)
from igloo_media.operations.uploads import RequestedFile, request_uploads
from igloo_media.policies.uploads import Arrival
from igloo_media.settings import PersonLimits

LIMITS = PersonLimits(uploads_per_hour=1000, open_uploads=1000, stored_bytes=10**12)
SIZE = 1000
MOST = 6
UNTOLD = {"pending", "uploaded", "processing"}
PLACES = st.integers(min_value=0, max_value=7)
POINTS = st.sampled_from([None, 0.0, 1.0])
LATER = st.sampled_from([timedelta(seconds=5)] * 3 + [timedelta(minutes=4), timedelta(hours=2)])
# What ends photos is seldom, or there would be none to look at.
SELDOM = st.sampled_from([False] * 4 + [True])


def facts(name: str, version: int = 1) -> RenditionFacts:
    size = 100 * version
    return RenditionFacts(
        name=name, width=1, height=1, content_type="image/webp", size_bytes=size, version=version
    )


PHOTO = RenderedPhoto(
    content_sha256=b"x" * 32,
    width=1,
    height=1,
    frames=1,
    receipt={"removed": [], "kept": []},
    blurhash="x",
    dominant_color="#000000",
    renditions=[facts(name) for name in ("thumb", "feed", "full")],
)


class LifeMachine(RuleBasedStateMachine):
    """One person's photos, and workers that die, linger and come back."""

    def __init__(self) -> None:
        super().__init__()
        self.owner_id = new_id()
        self.now = utc_now()
        self.ids: list[UUID] = []
        self.arrived: set[UUID] = set()
        self.acknowledged: set[UUID] = set()
        self.given_up: set[UUID] = set()
        self.posts: dict[UUID, UUID] = {}
        self.claims: list[Claim] = []
        self.cuts: list[ThumbClaim] = []

    def at(self, place: int) -> UUID:
        return self.ids[place % len(self.ids)]

    @precondition(lambda self: len(self.ids) < MOST // 2)
    @rule(client_id=st.sampled_from([None, "a", "b"]), point=POINTS)
    def ask(self, client_id: str | None, point: float | None) -> None:
        file = RequestedFile(content_type="image/jpeg", size_bytes=SIZE, client_id=client_id)
        with transaction() as session:
            asked = request_uploads(
                session, owner_id=self.owner_id, files=[file], limits=LIMITS, now=self.now
            )
        (upload,) = asked.uploads
        if upload.id not in self.ids:
            self.ids.append(upload.id)

    @precondition(lambda self: len(self.ids) < MOST)
    @rule(make=st.sampled_from([True, True, True, False]))
    def upload(self, *, make: bool) -> None:
        """Do at once what mostly comes together: chance alone would seldom bring a photo so far."""
        self.ask(None, None)
        self.send(len(self.ids) - 1, complete=True)
        if make:
            self.claim()
        if make and self.claims:
            self.finish(len(self.claims) - 1, "ready")

    @precondition(lambda self: self.ids)
    @rule(place=PLACES, complete=st.booleans())
    def send(self, place: int, *, complete: bool) -> None:
        upload_id = self.at(place)
        row = self.row(upload_id)
        if row.state == "pending" and row.expires_at > self.now:
            self.arrived.add(upload_id)
        if complete:
            self.complete(upload_id)

    def complete(self, upload_id: UUID) -> None:
        arrival = Arrival(stored_bytes=SIZE if upload_id in self.arrived else None)
        try:
            with transaction() as session:
                complete_upload(
                    session, owner_id=self.owner_id, upload_id=upload_id, arrival=arrival, now=self.now
                )
        except IglooError:
            return
        self.acknowledged.add(upload_id)

    @precondition(lambda self: self.ids)
    @rule(
        place=PLACES,
        alt_text=st.sampled_from([None, "Snow"]),
        point=POINTS,
        cut=st.sampled_from(["later", "begun", "shown"]),
    )
    def edit(self, place: int, alt_text: str | None, point: float | None, cut: str) -> None:
        edit = ItemEdit(values={"alt_text": alt_text, "focal_x": point, "focal_y": point})
        self.tried(lambda session: edit_item(session, **self.own(self.at(place)), edit=edit))
        if cut != "later":
            self.begin_cut()
        if cut == "shown" and self.cuts:
            self.end_cut(len(self.cuts) - 1, "shown")

    @precondition(lambda self: self.ids)
    @rule(place=PLACES, surely=SELDOM)
    def delete(self, place: int, *, surely: bool) -> None:
        media_id = self.at(place)
        if surely and self.tried(lambda session: delete_item(session, **self.own(media_id))):
            self.given_up.add(media_id)

    @precondition(lambda self: self.ids)
    @rule(place=PLACES, leave=SELDOM, hide=st.booleans())
    def post(self, place: int, *, leave: bool, hide: bool) -> None:
        media_id = self.at(place)
        post_id = self.posts.setdefault(media_id, new_id())
        about: dict[str, Any] = {"media_ids": [media_id], "post_id": post_id}
        with transaction() as session:
            if leave:
                delete_items_of_post(session, owner_id=self.owner_id, **about, now=self.now)
                self.given_up.add(media_id)
                return
            attach_items(session, owner_id=self.owner_id, **about)
            if hide:
                take_down(session, author_id=self.owner_id, **about, now=self.now)
            else:
                take_back(session, author_id=self.owner_id, **about)

    @precondition(lambda self: self.ids)
    @rule(later=LATER)
    def sweep(self, later: timedelta) -> None:
        self.now += later
        with transaction() as session:
            forgotten = take_forgotten(session, now=self.now, limit=10)
        for each in forgotten:
            size = SIZE if each.upload_id in self.arrived else None
            with transaction() as session:
                settle_forgotten(session, upload_id=each.upload_id, stored_bytes=size, now=self.now)

    @precondition(lambda self: self.ids)
    @rule(late=SELDOM)
    def collect(self, *, late: bool) -> None:
        self.now += timedelta(hours=25 if late else 0)
        with transaction() as session:
            collect_unattached(session, now=self.now, limit=10)

    @precondition(lambda self: self.acknowledged)
    @rule()
    def claim(self) -> None:
        with transaction() as session:
            claim = claim_next(session, now=self.now)
        if claim is not None:
            self.claims.append(claim)

    @precondition(lambda self: self.claims)
    @rule(place=PLACES, end=st.sampled_from(["ready", "failed", "back", "killed"]))
    def finish(self, place: int, end: str) -> None:
        claim = self.claims.pop(place % len(self.claims))
        with transaction() as session:
            kept = self.ended(session, claim, end)
            if not kept:
                let_go(session, claim, now=self.now)

    def ended(self, session: Session, claim: Claim, end: str) -> bool:
        if end == "ready":
            return finish_ready(session, claim, PHOTO, now=self.now)
        if end == "failed":
            return finish_failed(session, claim, code="unreadable_image", detail="No.", now=self.now)
        pause = timedelta(seconds=2)
        return end == "killed" or give_back(
            session, claim, pause=pause, counts_as_attempt=False, now=self.now
        )

    @precondition(lambda self: self.acknowledged)
    @rule()
    def begin_cut(self) -> None:
        with transaction() as session:
            cut = claim_thumb(session, now=self.now)
        if cut is not None:
            assert all(cut.version != other.version for other in self.cuts if other.media_id == cut.media_id)
            self.cuts.append(cut)

    @precondition(lambda self: self.cuts)
    @rule(place=PLACES, end=st.sampled_from(["shown", "shown", "back", "given up", "killed"]))
    def end_cut(self, place: int, end: str) -> None:
        cut = self.cuts.pop(place % len(self.cuts))
        with transaction() as session:
            if end == "shown":
                finish_thumb(session, cut, facts("thumb", cut.version), now=self.now)
            elif end == "back":
                pause = timedelta(seconds=2)
                give_back_thumb(session, cut, pause=pause, counts_as_attempt=True, now=self.now)
            elif end == "given up":
                give_up_thumb(session, cut, now=self.now)

    @invariant()
    def nothing_is_lost_and_everything_told_is_true(self) -> None:
        with reading() as reader:
            rows = {row.id: row for row in self.rows(reader)}
            told = self.last_events(reader)
            assert wrongly_counted(reader, [self.owner_id]) == []
        assert rows.keys() == set(self.ids)
        for media_id, row in rows.items():
            self.check_row(row)
            self.check_event(row, told.get(media_id))

    def check_row(self, row: Any) -> None:  # noqa: ANN401 - a row
        assert (row.renditions is not None) == (row.finished_at is not None and row.width is not None)
        assert (row.closed_at is not None) == (row.state in {"expired", "deleted"})
        if row.id in self.acknowledged:
            assert row.state not in {"pending", "expired"}
        if row.state == "deleted" and row.id not in self.given_up:
            assert row.post_id is None, "only what no post shows is collected"
            assert row.finished_at is not None
        if row.cut_due_at is not None and row.state != "ready":
            assert row.cut_claim_id is not None, "nobody begins to cut what has ended"

    def check_event(self, row: Any, told: tuple[str, dict[str, Any]] | None) -> None:  # noqa: ANN401 - a row
        if row.state in UNTOLD:
            assert told is None
        elif row.state == "ready":
            assert told is not None
            kind, said = told
            assert (kind, said["alt_text"]) == ("media.item.ready.v1", row.alt_text)
            assert {each["name"]: each["version"] for each in said["renditions"]} == row.renditions
            if row.cut_due_at is None:
                assert (said["focal_point"] or {"x": None})["x"] == row.focal_x
        elif row.id not in self.given_up or row.id not in self.posts:
            assert told is not None
            kind, said = told
            code = {"expired": "upload_expired", "deleted": "media_deleted"}.get(row.state, row.failure_code)
            assert (kind, said["code"]) == ("media.item.failed.v1", code)

    def row(self, media_id: UUID) -> Any:  # noqa: ANN401 - a row
        with reading() as reader:
            return next(row for row in self.rows(reader) if row.id == media_id)

    def rows(self, reader: Reader) -> list[Any]:
        query = text("""
        SELECT item.*, cut.due_at AS cut_due_at, cut.claim_id AS cut_claim_id,
            (SELECT jsonb_object_agg(name, version) FROM renditions WHERE media_id = item.id) AS renditions
        FROM media_items AS item LEFT JOIN thumb_tasks AS cut ON cut.media_id = item.id
        WHERE owner_id = :owner_id
        """)
        return list(reader.execute(query, {"owner_id": self.owner_id}))

    def last_events(self, reader: Reader) -> dict[UUID, tuple[str, dict[str, Any]]]:
        query = text("SELECT type, payload FROM outbox WHERE type LIKE 'media.item.%' ORDER BY id")
        said = ((row.type, orjson.loads(bytes(row.payload))) for row in reader.execute(query))
        return {UUID(data["media_id"]): (kind, data) for kind, data in said}

    def own(self, media_id: UUID) -> dict[str, Any]:
        return {"owner_id": self.owner_id, "media_id": media_id, "now": self.now}

    def tried(self, change: Any) -> bool:  # noqa: ANN401 - a function of a session
        try:
            with transaction() as session:
                change(session)
        except IglooError:
            return False
        return True

    def teardown(self) -> None:
        """Leave nothing due to the next example's workers."""
        with transaction() as session:
            session.query(ThumbTask).delete()
            session.query(MediaItem).filter(MediaItem.owner_id == self.owner_id).delete()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.mark.usefixtures("context")
def test_no_sequence_of_events_loses_a_photo_or_tells_an_untruth() -> None:
    run_state_machine_as_test(
        LifeMachine,
        settings=settings(
            max_examples=24,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
