from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from igloo_common.ids import new_id
from igloo_social.addresses import RenditionAddresses
from igloo_social.settings import Settings

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def addresses(settings: Settings) -> RenditionAddresses:
    return RenditionAddresses(settings)


def images(**changes: object) -> str:
    thumb = {"width": 320, "height": 320, "content_type": "image/webp"}
    image = {"media_id": str(new_id()), "alt_text": None, "renditions": {"thumb": thumb}, **changes}
    return orjson.dumps([image]).decode()


def shown(addresses: RenditionAddresses, stored: str, now: datetime) -> Any:  # noqa: ANN401 - decoded JSON
    return orjson.loads(orjson.dumps(addresses.images_json(stored, now=now)))


def test_an_address_is_the_same_within_the_hour_and_another_after(addresses: RenditionAddresses) -> None:
    stored = images()

    first, same, later = (
        shown(addresses, stored, NOON + timedelta(minutes=minutes)) for minutes in (1, 59, 61)
    )

    assert first == same
    assert first[0]["renditions"]["thumb"]["url"] != later[0]["renditions"]["thumb"]["url"]


def test_an_address_works_for_a_day_at_least(addresses: RenditionAddresses) -> None:
    url = shown(addresses, images(), NOON)[0]["renditions"]["thumb"]["url"]

    expires_at = datetime.fromtimestamp(int(url.partition("expires=")[2].partition("&")[0]), UTC)
    assert timedelta(days=1) <= expires_at - NOON <= timedelta(days=1, hours=1)


def test_what_is_remembered_never_hides_a_change(addresses: RenditionAddresses) -> None:
    media_id = str(new_id())
    before, after = images(media_id=media_id), images(media_id=media_id, alt_text="A walrus")

    assert shown(addresses, before, NOON)[0]["alt_text"] is None
    assert shown(addresses, after, NOON)[0]["alt_text"] == "A walrus"


def test_an_image_that_is_not_ready_has_no_addresses(addresses: RenditionAddresses) -> None:
    assert shown(addresses, images(renditions={}), NOON)[0]["renditions"] == {}
