"""What the adapter makes of Amazon SNS, and of its refusals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from factories.social_devices import make_token
from igloo_social.models.devices import DevicePlatform
from igloo_social.push import sns as adapter
from igloo_social.push.payloads import Message
from igloo_social.push.sns import (
    EndpointDisabled,
    EndpointMissing,
    MessageRefused,
    PushError,
    PushForbidden,
    PushService,
    PushUnavailable,
    TokenRefused,
)
from social.sns_server import SnsServer, running_sns

APNS = DevicePlatform.APNS
MESSAGE = Message(body='{"APNS":"{}"}', attributes={"AWS.SNS.MOBILE.APNS.PRIORITY": "10"})
MISSING_ARN = "arn:aws:sns:us-east-1:123456789012:endpoint/APNS/igloo/none"


@pytest.fixture(scope="module")
def server() -> Iterator[SnsServer]:
    with running_sns() as running:
        yield running


@pytest.fixture
def sns(server: SnsServer) -> Iterator[SnsServer]:
    yield server
    server.empty()


@pytest.fixture
def service(sns: SnsServer, monkeypatch: pytest.MonkeyPatch) -> PushService:
    monkeypatch.setattr(adapter, "_ATTEMPTS", 1)
    return PushService(sns.settings(), connections=2)


def test_a_token_has_one_endpoint_however_often_it_is_asked_for(sns: SnsServer, service: PushService) -> None:
    token = make_token()

    arns = {service.endpoint_for(APNS, token) for _ in range(3)}

    assert sns.tokens() == dict.fromkeys(arns, token)


def test_an_endpoint_that_was_disabled_is_enabled_for_a_phone_that_is_back(
    sns: SnsServer, service: PushService
) -> None:
    token = make_token()
    arn = service.endpoint_for(APNS, token)
    sns.disable(arn)
    with pytest.raises(EndpointDisabled):
        service.publish(arn, MESSAGE)

    assert service.endpoint_for(APNS, token) == arn

    service.publish(arn, MESSAGE)


def test_what_is_published_reaches_the_endpoint_with_what_becomes_headers(
    sns: SnsServer, service: PushService
) -> None:
    arn = service.endpoint_for(APNS, make_token())

    service.publish(arn, MESSAGE)

    (published,) = sns.published
    assert (published.endpoint_arn, published.kind, published.payload) == (arn, "APNS", {})
    assert published.attributes == MESSAGE.attributes


def test_an_endpoint_is_deleted_once_and_again(sns: SnsServer, service: PushService) -> None:
    arn = service.endpoint_for(APNS, make_token())

    for _ in range(2):
        service.delete_endpoint(arn)

    assert sns.tokens() == {}
    with pytest.raises(EndpointMissing):
        service.publish(arn, MESSAGE)


def test_without_applications_nobody_is_reached(sns: SnsServer) -> None:
    none = PushService(replace(sns.settings(), applications={}), connections=1)
    some = PushService(sns.settings("fcm"), connections=1)

    assert (none.reaches_any, some.reaches_any) == (False, True)
    assert [some.reaches(platform) for platform in DevicePlatform] == [False, False, True]


@pytest.mark.parametrize(
    ("code", "status", "words", "error"),
    [
        ("EndpointDisabled", 400, "Endpoint is disabled", EndpointDisabled),
        ("NotFound", 404, "Endpoint does not exist", EndpointMissing),
        (
            "InvalidParameter",
            400,
            "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified",
            EndpointMissing,
        ),
        ("InvalidParameter", 400, "Invalid parameter: Message too long", MessageRefused),
        ("ParameterValueInvalid", 400, "Invalid parameter value", MessageRefused),
        ("AuthorizationError", 403, "not authorized to perform: SNS:Publish", PushForbidden),
        ("InvalidClientTokenId", 403, "The security token is invalid", PushForbidden),
        ("ExpiredToken", 403, "The security token is expired", PushForbidden),
        ("PlatformApplicationDisabled", 400, "Application is disabled", PushForbidden),
        ("Throttling", 400, "Rate exceeded", PushUnavailable),
        ("InternalError", 500, "Something is broken", PushUnavailable),
        ("ServiceUnavailable", 503, "Come again", PushUnavailable),
    ],
)
def test_each_refusal_to_publish_says_what_is_to_be_done(
    sns: SnsServer, service: PushService, code: str, *, status: int, words: str, error: type[PushError]
) -> None:
    arn = service.endpoint_for(APNS, make_token())
    sns.fail("Publish", code, status, words)

    with pytest.raises(PushError) as refused:
        service.publish(arn, MESSAGE)

    assert (type(refused.value), str(refused.value)) == (error, code)


@pytest.mark.parametrize(
    ("code", "words", "error"),
    [
        (
            "InvalidParameter",
            "Invalid parameter: Token Reason: iOS device tokens must be shorter",
            TokenRefused,
        ),
        ("InvalidParameter", "Invalid parameter: PlatformApplicationArn Reason: Wrong", PushForbidden),
        ("NotFound", "PlatformApplication does not exist", PushForbidden),
        ("AuthorizationError", "not authorized", PushForbidden),
        ("Throttling", "Rate exceeded", PushUnavailable),
    ],
)
def test_only_a_token_that_is_refused_speaks_against_the_phone(
    sns: SnsServer, service: PushService, code: str, *, words: str, error: type[PushError]
) -> None:
    sns.fail("CreatePlatformEndpoint", code, 400, words)

    with pytest.raises(PushError) as refused:
        service.endpoint_for(APNS, make_token())

    assert type(refused.value) is error
    assert make_token() not in str(refused.value)


def test_nobody_waits_long_for_an_answer_that_does_not_come(
    sns: SnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_READ_SECONDS", 0.2)
    monkeypatch.setattr(adapter, "_ATTEMPTS", 1)
    service = PushService(sns.settings(), connections=1)
    sns.fail("Publish", None)

    with pytest.raises(PushUnavailable, match="ReadTimeoutError"):
        service.publish(MISSING_ARN, MESSAGE)

    sns.patience.set()


def test_where_nothing_listens_nothing_is_pushed(sns: SnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "_ATTEMPTS", 1)
    service = PushService(replace(sns.settings(), endpoint="http://127.0.0.1:9"), connections=1)

    with pytest.raises(PushUnavailable, match="EndpointConnectionError"):
        service.endpoint_for(APNS, make_token())


def test_a_moment_of_trouble_is_got_over_at_once(sns: SnsServer) -> None:
    service = PushService(sns.settings(), connections=1)
    arn = service.endpoint_for(APNS, make_token())
    sns.fail("Publish", "InternalError", 500)

    service.publish(arn, MESSAGE)

    assert sns.calls.count("Publish") == adapter._ATTEMPTS == 2
