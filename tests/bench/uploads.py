"""The requests around a photo that goes straight to S3: for its target, and to say that it is there."""

import itertools
from collections.abc import Iterator, Sequence

from bench import photos
from bench.scenarios import Scenario, post, upload_targets
from factories.photos import jpeg
from igloo_local.phone import Phone

# Of each person at most, as the service would have it: what is open is looked at by each request.
OPEN_UPLOADS = 80
AT_ONCE = 10


def people_for(uploads: int) -> int:
    """Return how many people it takes to have that many uploads open."""
    return 1 + uploads // OPEN_UPLOADS


def upload_scenarios(people: Sequence[Phone], count: int) -> Iterator[Scenario]:
    """Ask for targets, complete one by one, complete ten by ten; a third of the people do the first.

    Each scenario is made when it is its turn: the photos that it completes lie in S3 by then.
    """
    # What has been completed stays open until it is ready: the senders are twice as many.
    askers, senders = people[: len(people) // 3], people[len(people) // 3 :]
    yield upload_targets(list(askers), count)
    yield _completions(senders, count // 2)
    yield _batch_completions(senders, count)


def _completions(people: Sequence[Phone], count: int) -> Scenario:
    sent = itertools.chain.from_iterable(_sent(people, count))
    return Scenario(
        work="upload request: complete one",
        requests=[post(phone, f"/v1/uploads/{upload_id}/complete", {}) for phone, upload_id in sent],
    )


def _batch_completions(people: Sequence[Phone], count: int) -> Scenario:
    return Scenario(
        work="upload request: complete ten",
        requests=[
            post(batch[0][0], "/v1/uploads/complete", {"upload_ids": [upload_id for _, upload_id in batch]})
            for batch in _sent(people, count)
        ],
    )


def _sent(people: Sequence[Phone], count: int) -> Iterator[list[tuple[Phone, str]]]:
    """Put small photos into S3, ten at once of one person after the other."""
    photo = jpeg(64, 48)
    for phone in itertools.islice(itertools.cycle(people), count // AT_ONCE):
        yield [(phone, upload_id) for upload_id in photos.send(phone, [photo] * AT_ONCE)]
