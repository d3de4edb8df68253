"""What an address of a phone at its platform's push service looks like."""

from __future__ import annotations

import re
from typing import Final

from igloo_social.models.devices import DevicePlatform

MAXIMUM_TOKEN_LENGTH: Final = 4096

# Apple warns that tokens are of variable length and will grow; SNS takes up to 400 characters of hexadecimal.
_APNS: Final = re.compile(r"[0-9a-f]{64,200}")
_FCM: Final = re.compile(rf"[!-~]{{1,{MAXIMUM_TOKEN_LENGTH}}}")


def written_once(platform: DevicePlatform, token: str) -> str:
    """Write a token the one way that it is compared in: hexadecimal means the same in capitals."""
    return token if platform is DevicePlatform.FCM else token.lower()


def problem_with(platform: DevicePlatform, token: str) -> str | None:
    """Say what is wrong with the form of a token, or nothing."""
    if platform is DevicePlatform.FCM:
        known = _FCM.fullmatch(token) is not None
        return None if known else f"An FCM token has 1 to {MAXIMUM_TOKEN_LENGTH} visible ASCII characters."
    known = _APNS.fullmatch(written_once(platform, token)) is not None
    return None if known else "An APNs token is written as 64 to 200 hexadecimal digits."
