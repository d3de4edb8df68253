"""Amazon SNS, which hands what phones are sent to their platforms' push services."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final

from igloo_social.models.devices import DevicePlatform

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

    from igloo_social.push.payloads import Message
    from igloo_social.settings import PushSettings

_CONNECT_SECONDS: Final = 2
_READ_SECONDS: Final = 5
_ATTEMPTS: Final = 2

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html, and the errors common to all of AWS's actions.
_REFUSED: Final = frozenset(
    {"InvalidParameter", "ParameterValueInvalid", "ValidationException", "ValidationError"}
)
_FORBIDDEN: Final = frozenset(
    {
        "AuthorizationError",
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "PlatformApplicationDisabled",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_NO_ENDPOINT: Final = "No endpoint found"
_PRESENT: Final = re.compile(r"Endpoint (arn:\S+) already exists with the same Token")


class PushError(Exception):
    """SNS has not taken what it was asked; its text is the error's code, and no address of a phone."""


class PushUnavailable(PushError):
    """SNS does not answer, or has too much to do: the same may work soon."""


class PushForbidden(PushError):
    """SNS does not let us: credentials, permissions or the platform application are not in order."""


class EndpointDisabled(PushError):
    """The platform's push service does not know the phone any more: the app is not there."""


class EndpointMissing(PushError):
    """There is no such endpoint at SNS; another can be made."""


class TokenRefused(PushError):
    """SNS does not take the token for one of this platform."""


class MessageRefused(PushError):
    """SNS does not take the message: it is at fault, and not the phone."""


class PushService:
    """The platform applications that are configured; safe to share between threads."""

    def __init__(self, settings: PushSettings, *, connections: int) -> None:
        self._settings = settings
        self._connections = connections

    def reaches(self, platform: DevicePlatform) -> bool:
        """Say whether anything can be pushed to a platform's phones."""
        return platform in self._settings.applications

    @property
    def reaches_any(self) -> bool:
        """Say whether anything can be pushed at all."""
        return bool(self._settings.applications)

    def endpoint_for(self, platform: DevicePlatform, token: str) -> str:
        """Have an endpoint for a token, enabled, and return its ARN; there is one however often this is done.

        An endpoint that is there may be disabled: making it "again" either returns it so, or is refused with
        its ARN in the words. So it is enabled in any case.
        https://docs.aws.amazon.com/sns/latest/dg/mobile-platform-endpoint.html

        Raises:
            TokenRefused, PushForbidden, PushUnavailable: As their names say.
        """
        with _asked(_registration_error):
            arn = self._made_or_present(self._settings.applications[platform], token)
            self._client.set_endpoint_attributes(
                EndpointArn=arn, Attributes={"Token": token, "Enabled": "true"}
            )
        return arn

    def publish(self, endpoint_arn: str, message: Message) -> None:
        """Hand over a message.

        Raises:
            EndpointDisabled, EndpointMissing, MessageRefused, PushForbidden, PushUnavailable: As they say.
        """
        attributes: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
        }
        with _asked(_publish_error):
            self._client.publish(
                TargetArn=endpoint_arn,
                MessageStructure="json",
                Message=message.body,
                MessageAttributes=attributes,
            )

    def delete_endpoint(self, endpoint_arn: str) -> None:
        """Delete an endpoint; one that is not there counts as deleted.

        Raises:
            PushForbidden, PushUnavailable: As their names say.
        """
        with suppress(EndpointMissing), _asked(_deletion_error):
            self._client.delete_endpoint(EndpointArn=endpoint_arn)

    def _made_or_present(self, application: str, token: str) -> str:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - see _client

        try:
            answer = self._client.create_platform_endpoint(PlatformApplicationArn=application, Token=token)
        except ClientError as error:
            present = _PRESENT.search(_words(error))
            if present is None:
                raise
            return present[1]
        return answer["EndpointArn"]

    @cached_property
    def _client(self) -> SNSClient:
        """The client; boto3 is imported only now, as web processes should not carry it."""
        # A session of its own: boto3's common one must not be used by two threads at once.
        from boto3.session import Session  # noqa: PLC0415 - see the docstring
        from botocore.config import Config  # noqa: PLC0415

        return Session().client(
            "sns",
            endpoint_url=self._settings.endpoint,
            region_name=self._settings.region,
            aws_access_key_id=self._settings.access_key_id,
            aws_secret_access_key=self._settings.secret_access_key,
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                max_pool_connections=self._connections,
            ),
        )


@contextmanager
def _asked(translated: Callable[[ClientError], PushError]) -> Iterator[None]:
    """Turn what boto3 raises into ours."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see _client

    try:
        yield
    except ClientError as error:
        raise translated(error) from None
    except BotoCoreError as error:
        raise PushUnavailable(type(error).__name__) from None


def _registration_error(error: ClientError) -> PushError:
    code = _code(error)
    if code in _REFUSED and "Token" in _words(error):
        return TokenRefused(code)
    # What else is not found or not valid is the platform application.
    return PushForbidden(code) if code in _REFUSED | {"NotFound"} else _common_error(code)


def _publish_error(error: ClientError) -> PushError:
    code = _code(error)
    if code == "EndpointDisabled":
        return EndpointDisabled(code)
    if code == "NotFound" or (code in _REFUSED and _NO_ENDPOINT in _words(error)):
        return EndpointMissing(code)
    return MessageRefused(code) if code in _REFUSED else _common_error(code)


def _deletion_error(error: ClientError) -> PushError:
    code = _code(error)
    return EndpointMissing(code) if code in _REFUSED | {"NotFound"} else _common_error(code)


def _common_error(code: str) -> PushError:
    return PushForbidden(code) if code in _FORBIDDEN else PushUnavailable(code)


def _code(error: ClientError) -> str:
    return error.response["Error"].get("Code", "")


def _words(error: ClientError) -> str:
    return error.response["Error"].get("Message", "")
