"""What phones are sent, in the words of Apple's and Google's push services.

A phone writes the sentence itself, in its own language, from a key and names: nothing of captions or comments
is sent, since it would stand on a locked screen, and in the hands of the push services, of private accounts
too. News of a group takes the place of its earlier news, so that a push that comes twice is seen once.

https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification
https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from igloo_social.models.devices import DevicePlatform
from igloo_social.models.notifications import NotificationKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from igloo_social.queries.pushes import News

TTL_SECONDS: Final = 3600
"""For how long a push service keeps trying; a phone that is off for longer shows the list instead."""

# Another like or follower takes the place of the last in silence: who is popular wants a phone that sleeps.
_QUIET_UPDATES: Final = frozenset({NotificationKind.LIKE, NotificationKind.FOLLOW})
_LOUD_CHANNEL: Final = "activity"
_QUIET_CHANNEL: Final = "activity_updates"
_LETTERS_OF_NAME: Final = 50


@dataclass(frozen=True, kw_only=True)
class Message:
    """What SNS is asked to publish: a JSON text, and what it makes headers of."""

    body: str
    attributes: Mapping[str, str]


def message_for(platform: DevicePlatform, news: News) -> Message:
    """Write news for the push service of a platform, as SNS takes it with `MessageStructure=json`."""
    if platform is DevicePlatform.FCM:
        return _message("GCM", _fcm_payload(news), {"AWS.SNS.MOBILE.FCM.TTL": str(TTL_SECONDS)})
    name = "APNS" if platform is DevicePlatform.APNS else "APNS_SANDBOX"
    attributes = {
        "AWS.SNS.MOBILE.APNS.COLLAPSE_ID": str(news.group_id),
        "AWS.SNS.MOBILE.APNS.PUSH_TYPE": "alert",
        "AWS.SNS.MOBILE.APNS.PRIORITY": "5" if _is_quiet(news) else "10",
        f"AWS.SNS.MOBILE.{name}.TTL": str(TTL_SECONDS),
    }
    return _message(name, _apns_payload(news), attributes)


def sentence(news: News) -> tuple[str, Sequence[str]]:
    """Return the key of the sentence that the phone writes, and what it puts in.

    `…_one` takes a name, `…_two` two names, `…_many` a name and the number of others.
    """
    if news.kind == NotificationKind.POST_FAILED:
        return f"notification_{news.kind}", ()
    first, *others = [name[:_LETTERS_OF_NAME] for name in news.names]
    if news.actor_count == 1 or not others:
        return f"notification_{news.kind}_one", (first,)
    if news.actor_count == len(("one", "other")):
        return f"notification_{news.kind}_two", (first, others[0])
    return f"notification_{news.kind}_many", (first, str(news.actor_count - 1))


def _is_quiet(news: News) -> bool:
    return news.is_update and news.kind in _QUIET_UPDATES


def _apns_payload(news: News) -> Mapping[str, object]:
    key, arguments = sentence(news)
    aps: dict[str, object] = {
        "alert": {"loc-key": key, "loc-args": arguments},
        "badge": news.unread_count,
        "thread-id": str(news.group_id),
        "interruption-level": "passive" if _is_quiet(news) else "active",
    }
    if not _is_quiet(news):
        aps["sound"] = "default"
    return {"aps": aps, **_leads_to(news)}


def _fcm_payload(news: News) -> Mapping[str, object]:
    key, arguments = sentence(news)
    android = {
        # A phone that is off is kept the last of each of four keys; the tag takes its predecessor's place.
        "collapse_key": str(news.group_id),
        "priority": "NORMAL" if _is_quiet(news) else "HIGH",
        "ttl": f"{TTL_SECONDS}s",
        "notification": {
            "body_loc_key": key,
            "body_loc_args": arguments,
            "tag": str(news.group_id),
            "channel_id": _QUIET_CHANNEL if _is_quiet(news) else _LOUD_CHANNEL,
            "notification_count": news.unread_count,
        },
    }
    return {"fcmV1Message": {"message": {"android": android, "data": _leads_to(news)}}}


def _leads_to(news: News) -> Mapping[str, str]:
    """Say what to open: texts all of them, since FCM takes nothing else."""
    leads_to = {"notification_group_id": str(news.group_id), "kind": news.kind}
    return leads_to if news.post_id is None else {**leads_to, "post_id": str(news.post_id)}


def _message(key: str, payload: Mapping[str, object], attributes: Mapping[str, str]) -> Message:
    # SNS wants the payload as a text inside of the JSON.
    body = orjson.dumps({key: orjson.dumps(payload).decode()}).decode()
    return Message(body=body, attributes=attributes)
