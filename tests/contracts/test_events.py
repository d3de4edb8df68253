"""What one service publishes is what the others read."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from factories.events import data_of, samples_of
from igloo_common.consumers import Consumers, Subscription
from igloo_common.event_views import UnreadablePayload, decode_view
from igloo_common.events import Event

SERVICES = sorted(
    path.parent.name.removeprefix("igloo_")
    for path in (Path(__file__).parents[2] / "services").glob("*/igloo_*/events.py")
)


def published(service: str) -> list[type[Event]]:
    module = importlib.import_module(f"igloo_{service}.events")
    found = (value for value in vars(module).values() if isinstance(value, type))
    return [kind for kind in found if issubclass(kind, Event) and kind.__module__ == module.__name__]


def consumers_of(service: str) -> Consumers:
    register = importlib.import_module(f"igloo_{service}.consumers").consumers
    assert isinstance(register, Consumers)
    return register


PUBLISHED = {event.type: (service, event) for service in SERVICES for event in published(service)}
SUBSCRIBED: list[tuple[str, Subscription]] = [
    (service, subscription)
    for service in SERVICES
    for subscription in consumers_of(service).subscriptions.values()
]


def test_there_are_services_that_publish_and_subscribe() -> None:
    assert SERVICES == ["auth", "media", "social"]
    assert PUBLISHED
    assert SUBSCRIBED


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_registers_its_consumers_under_its_own_name(service: str) -> None:
    assert consumers_of(service).service == service


@pytest.mark.parametrize(
    ("event_type", "service"), [(kind, service) for kind, (service, _) in PUBLISHED.items()]
)
def test_a_published_event_is_named_after_its_publisher_and_has_a_subscriber(
    event_type: str, service: str
) -> None:
    assert event_type.split(".", maxsplit=1)[0] == service
    assert event_type in {subscription.event_type for _, subscription in SUBSCRIBED}


@pytest.mark.parametrize("event", [event for _, event in PUBLISHED.values()], ids=lambda event: event.type)
def test_an_event_names_its_aggregate_and_can_be_read_back_whole(event: type[Event]) -> None:
    for sample in samples_of(event):
        kind, separator, name = sample.aggregate_key.partition(":")
        assert (bool(kind), separator, bool(name)) == (True, ":", True)
        assert decode_view(event, data_of(sample)) == sample


@pytest.mark.parametrize(
    ("service", "subscription"),
    SUBSCRIBED,
    ids=[f"{service} reads {s.event_type}" for service, s in SUBSCRIBED],
)
def test_every_sample_satisfies_the_view_of_its_consumer(service: str, subscription: Subscription) -> None:
    assert subscription.event_type in PUBLISHED, f"{service} waits for what nobody publishes"
    _, event = PUBLISHED[subscription.event_type]
    for sample in samples_of(event):
        decode_view(subscription.view, data_of(sample))


@pytest.mark.parametrize(
    ("service", "subscription"),
    SUBSCRIBED,
    ids=[f"{service} reads {s.event_type}" for service, s in SUBSCRIBED],
)
def test_a_consumer_ignores_what_a_newer_publisher_adds(service: str, subscription: Subscription) -> None:
    _, event = PUBLISHED[subscription.event_type]
    data: dict[str, Any] = {**data_of(samples_of(event)[0]), "added_later": {"by": [service]}}
    decode_view(subscription.view, data)


@pytest.mark.parametrize(
    ("service", "subscription"),
    SUBSCRIBED,
    ids=[f"{service} reads {s.event_type}" for service, s in SUBSCRIBED],
)
def test_a_consumer_notices_a_field_that_is_gone(service: str, subscription: Subscription) -> None:
    with pytest.raises(UnreadablePayload):
        decode_view(subscription.view, {})
    assert service
