"""What phones are sent: sentences of keys and names, in the words of two push services."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest

from igloo_social.models.devices import DevicePlatform
from igloo_social.models.notifications import NotificationKind
from igloo_social.policies.names import MAXIMUM_LENGTH
from igloo_social.push.payloads import Message, message_for, sentence
from igloo_social.queries.pushes import News

GROUP, POST = UUID(int=1), UUID(int=2)
LIKES = News(
    group_id=GROUP,
    kind="like",
    post_id=POST,
    names=["Snow Hare", "눈토끼"],
    actor_count=4,
    unread_count=7,
    is_update=True,
)
COMMENT = replace(LIKES, kind="comment", names=["Puffin"], actor_count=1, is_update=False)


def inside(message: Message) -> tuple[str, Any]:
    ((key, payload),) = orjson.loads(message.body).items()
    return key, orjson.loads(payload)


@pytest.mark.parametrize(
    ("names", "actor_count", "expected"),
    [
        (["Puffin"], 1, ("notification_like_one", ("Puffin",))),
        (["Puffin", "눈토끼"], 2, ("notification_like_two", ("Puffin", "눈토끼"))),
        (["Puffin", "눈토끼"], 3, ("notification_like_many", ("Puffin", "2"))),
        (["Puffin", "눈토끼"], 5000, ("notification_like_many", ("Puffin", "4999"))),
    ],
)
def test_a_sentence_names_one_or_two_and_counts_the_others(
    names: list[str], actor_count: int, expected: object
) -> None:
    assert sentence(replace(LIKES, names=names, actor_count=actor_count)) == expected


def test_a_post_that_failed_is_nobodys_doing() -> None:
    failed = replace(LIKES, kind="post_failed", names=[], actor_count=1)

    assert sentence(failed) == ("notification_post_failed", ())


def test_apples_service_is_told_the_sentence_the_badge_and_what_it_takes_the_place_of() -> None:
    key, payload = inside(message := message_for(DevicePlatform.APNS, COMMENT))

    assert key == "APNS"
    assert payload == {
        "aps": {
            "alert": {"loc-key": "notification_comment_one", "loc-args": ["Puffin"]},
            "badge": 7,
            "sound": "default",
            "thread-id": str(GROUP),
            "interruption-level": "active",
        },
        "notification_group_id": str(GROUP),
        "kind": "comment",
        "post_id": str(POST),
    }
    assert message.attributes == {
        "AWS.SNS.MOBILE.APNS.COLLAPSE_ID": str(GROUP),
        "AWS.SNS.MOBILE.APNS.PUSH_TYPE": "alert",
        "AWS.SNS.MOBILE.APNS.PRIORITY": "10",
        "AWS.SNS.MOBILE.APNS.TTL": "3600",
    }


def test_apples_sandbox_has_its_own_key_and_time_to_live() -> None:
    message = message_for(DevicePlatform.APNS_SANDBOX, COMMENT)

    assert inside(message)[0] == "APNS_SANDBOX"
    assert message.attributes["AWS.SNS.MOBILE.APNS_SANDBOX.TTL"] == "3600"
    assert "AWS.SNS.MOBILE.APNS.TTL" not in message.attributes


def test_googles_service_is_told_the_same_in_its_own_words() -> None:
    key, payload = inside(message_for(DevicePlatform.FCM, COMMENT))

    assert key == "GCM"
    assert payload == {
        "fcmV1Message": {
            "message": {
                "android": {
                    "collapse_key": str(GROUP),
                    "priority": "HIGH",
                    "ttl": "3600s",
                    "notification": {
                        "body_loc_key": "notification_comment_one",
                        "body_loc_args": ["Puffin"],
                        "tag": str(GROUP),
                        "channel_id": "activity",
                        "notification_count": 7,
                    },
                },
                "data": {"notification_group_id": str(GROUP), "kind": "comment", "post_id": str(POST)},
            }
        }
    }


def test_another_like_is_shown_without_a_sound_and_another_comment_is_heard() -> None:
    _, quiet = inside(message := message_for(DevicePlatform.APNS, LIKES))
    _, quiet_android = inside(message_for(DevicePlatform.FCM, LIKES))
    _, loud = inside(message_for(DevicePlatform.APNS, replace(COMMENT, is_update=True)))

    assert (quiet["aps"]["interruption-level"], "sound" in quiet["aps"]) == ("passive", False)
    assert message.attributes["AWS.SNS.MOBILE.APNS.PRIORITY"] == "5"
    android = quiet_android["fcmV1Message"]["message"]["android"]
    assert (android["priority"], android["notification"]["channel_id"]) == ("NORMAL", "activity_updates")
    assert loud["aps"]["sound"] == "default"


def test_what_leads_to_no_post_names_none() -> None:
    follow = replace(LIKES, kind="follow", post_id=None)

    assert "post_id" not in inside(message_for(DevicePlatform.APNS, follow))[1]
    assert (
        "post_id" not in inside(message_for(DevicePlatform.FCM, follow))[1]["fcmV1Message"]["message"]["data"]
    )


@pytest.mark.parametrize("kind", list(NotificationKind))
@pytest.mark.parametrize("platform", list(DevicePlatform))
def test_the_longest_names_stay_within_what_push_services_take(
    platform: DevicePlatform, kind: NotificationKind
) -> None:
    # 4 KB of JSON, which APNs counts escaped or not: each of these characters has four bytes.
    name = "\N{SNOWFLAKE}\ufe0f\u200d\U0001f407" * MAXIMUM_LENGTH
    longest = replace(LIKES, kind=kind, names=[name, name], actor_count=2, unread_count=1000)

    ((_, payload),) = orjson.loads(message_for(platform, longest).body).items()

    assert len(payload.encode()) < 4096
