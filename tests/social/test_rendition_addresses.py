from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from igloo_common.ids import new_id
from igloo_common.signatures import verify_path
from igloo_social.addresses import RenditionAddresses
from igloo_social.schemas.images import ImageSchema, RenditionSchema
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


def test_an_address_names_the_version_which_is_not_shown_by_itself(addresses: RenditionAddresses) -> None:
    media_id = str(new_id())
    thumb = {"width": 320, "height": 320, "content_type": "image/webp", "version": 3, "is_animated": False}
    full = {"width": 500, "height": 400, "content_type": "image/webp", "version": 1, "is_animated": True}

    (image,) = shown(
        addresses,
        images(
            media_id=media_id, focal_point={"x": 0.25, "y": 1.0}, renditions={"thumb": thumb, "full": full}
        ),
        NOON,
    )

    paths = {name: urlsplit(each["url"]).path for name, each in image["renditions"].items()}
    assert paths == {"thumb": f"/media/{media_id}/thumb_3", "full": f"/media/{media_id}/full"}
    assert {name: each["is_animated"] for name, each in image["renditions"].items()} == {
        "thumb": False,
        "full": True,
    }
    assert image["focal_point"] == {"x": 0.25, "y": 1.0}
    for rendition in image["renditions"].values():
        assert RenditionSchema().validate(rendition) == {}


def test_what_was_stored_before_there_were_versions_is_shown_like_the_rest(
    addresses: RenditionAddresses,
) -> None:
    facts = {"width": 320, "height": 320, "blurhash": "L", "dominant_color": "#a1b2c3"}

    (image,) = shown(addresses, images(**facts), NOON)

    assert ImageSchema().validate(image) == {}
    assert image["focal_point"] is None
    assert image["renditions"]["thumb"]["is_animated"] is False
    assert urlsplit(image["renditions"]["thumb"]["url"]).path.endswith(f"{image['media_id']}/thumb")


def test_signatures_hold_for_versions(addresses: RenditionAddresses, settings: Settings) -> None:
    thumb = {"width": 320, "height": 320, "content_type": "image/webp", "version": 2}
    (image,) = shown(addresses, images(renditions={"thumb": thumb}), NOON)
    address = urlsplit(image["renditions"]["thumb"]["url"])
    query = parse_qs(address.query)

    assert verify_path(
        address.path,
        expires=int(query["expires"][0]),
        signature=query["signature"][0],
        now=NOON,
        keys=settings.common.address_signing_keys,
    )
