"""Fills an empty igloo as phones would, by its public API; run again it goes on, and then adds nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from igloo_local.demo import cast
from igloo_local.demo.cast import Plan, Remark
from igloo_local.demo.people import Place, SignedIn
from igloo_local.demo.photos import draw_photo
from igloo_local.demo.progress import Progress
from igloo_local.flag import Flag
from igloo_local.phone import Json, Phone, wait_until

_THREADS = 3
_REPORT_EVERY = 15
# A photo whose worker was killed is taken up again when its lease of three minutes has run out.
_PROCESSING_SECONDS = 300.0
T = TypeVar("T")


class SeedingFailed(Exception):
    """A demo post did not come out; something in igloo is broken."""


class Seeding:
    """One run over the plan; stops between two steps when asked to."""

    def __init__(
        self,
        place: Place,
        people: Sequence[SignedIn],
        *,
        report: Callable[[str], None],
        stop_requested: Flag | None = None,
    ) -> None:
        self._phones = {one.character.username: one.phone for one in people}
        self._progress = Progress(place.state_folder / "progress.json", self._ids())
        self._report = report
        self.stop_requested = stop_requested or Flag()

    @property
    def is_complete(self) -> bool:
        """Whether an earlier run has done everything."""
        return self._progress.is_complete

    def run(self) -> None:
        """Do what is missing: follows, posts with photos, likes, comments."""
        plans = [*cast.posts()]
        self._each(cast.follows(), lambda pair: self._follow(*pair))
        # The phones draw and upload the next photos while igloo still works on the last ones.
        self._each(plans, lambda plan: self._publish(plan, of=len(plans)))
        self._each(plans, self._wait_until_published)
        self._each(cast.likes(), lambda like: self._like(like[0], plans[like[1]]))
        self._each(cast.comments(), lambda remark: self._comment(remark, plans[remark.place]))
        if not self.stop_requested.is_set():
            self._progress.complete()

    def _ids(self) -> Mapping[str, str]:
        return {username: str(phone.user_id) for username, phone in self._phones.items()}

    def _each(self, things: Iterable[T], do: Callable[[T], None]) -> None:
        """Do something for each thing, several at once; the first failure is raised at the end."""

        def unless_stopped(thing: T) -> None:
            if not self.stop_requested.is_set():
                do(thing)

        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(unless_stopped, things):
                pass

    def _follow(self, follower: str, followee: str) -> None:
        self._phones[follower].relate("PUT", self._phones[followee].user_id, "follow")

    def _publish(self, plan: Plan, *, of: int) -> None:
        """Upload the photos and make the post; it appears when its photos are ready."""
        if self._progress.post_id(plan.key) is not None:
            return
        phone = self._phones[plan.username]
        media_ids = self._progress.photos(plan.key) or self._upload(phone, plan)
        body = {"caption": plan.caption, "media_ids": media_ids}
        post = phone.call("POST", "/v1/posts", json=body, headers={"Idempotency-Key": f"demo-{plan.key}"})
        made = self._progress.posted(plan.key, post["id"])
        if made % _REPORT_EVERY == 0:
            self._report(f"demo data: {made} of {of} posts")

    def _upload(self, phone: Phone, plan: Plan) -> list[str]:
        media_ids = phone.upload([draw_photo(scene, plan.key) for scene in plan.scenes])
        self._progress.uploaded(plan.key, media_ids)
        return media_ids

    def _wait_until_published(self, plan: Plan) -> None:
        phone, post_id = self._phones[plan.username], self._progress.post_id(plan.key)

        def settled(post: Json) -> bool:
            return self.stop_requested.is_set() or post["state"] != "processing"

        post = wait_until(
            lambda: phone.call("GET", f"/v1/posts/{post_id}"),
            settled,
            what=f"the photos of the demo post {plan.key}",
            timeout_seconds=_PROCESSING_SECONDS,
        )
        if post["state"] == "failed":
            raise SeedingFailed(f"the demo post {plan.key} failed: {post['failure']}")

    def _like(self, username: str, plan: Plan) -> None:
        self._phones[username].call("PUT", f"/v1/posts/{self._progress.post_id(plan.key)}/like")

    def _comment(self, remark: Remark, plan: Plan) -> None:
        path = f"/v1/posts/{self._progress.post_id(plan.key)}/comments"
        self._phones[remark.username].call(
            "POST", path, json={"text": remark.text}, headers={"Idempotency-Key": f"demo-{remark.key}"}
        )
