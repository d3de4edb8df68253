"""Messages that a queue gave up, in RabbitMQ's queue of dead letters: looked at, sent back, or dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from amqp import Message

from igloo_common.letters import DeadLetter, Fate, LetterRefused
from igloo_common.messaging.rabbit_link import Link
from igloo_common.messaging.topology import DEAD

_PERSISTENT = 2
_CONFIRM_SECONDS = 15.0
# RabbitMQ 4 throws away what was taken and given back twenty times, if no queue says otherwise. A letter that
# has been looked at so often is therefore put down anew.
_MAX_LOOKS = 8


def visit_letters(url: str, decide: Callable[[DeadLetter], Fate]) -> None:
    """Take each dead letter in hand once, and do with it as decided.

    All are held until the end, so that each comes by once, and then given back. One that goes back to its
    queue is taken from here only after the queue has confirmed it: who is killed between leaves it in both
    places, and the inbox knows it by its id.

    Raises:
        LetterRefused: what was decided before has been done, the rest is as it was.
        BrokerUnavailable: the same, but for the letter in hand, which may be in both places.
    """
    if url.startswith("filesystem:"):
        return  # A folder gives no message up.
    link = Link(url)
    try:
        with link.guarded():
            link.channel.confirm_select()
            for message in _taken(link.channel):
                letter = _read(message)
                fate = decide(letter)
                if fate is Fate.REDELIVERED:
                    _send(link, message, queue=letter.queue)
                elif fate is Fate.KEPT and _looks(message) >= _MAX_LOOKS:
                    _send(link, message, queue=DEAD, headers=_headers(message))
                elif fate is Fate.KEPT:
                    continue
                link.channel.basic_ack(message.delivery_tag)
            # What was not acknowledged goes back to its place.
            link.channel.close()
    finally:
        link.close()


def _taken(channel: Any) -> Iterator[Any]:  # noqa: ANN401 - amqp is untyped
    """Take what is there now; what comes meanwhile is for another time."""
    waiting = channel.queue_declare(DEAD, passive=True).message_count
    for _ in range(waiting):
        message = channel.basic_get(DEAD)
        if message is None:
            return
        yield message


def _read(message: Any) -> DeadLetter:  # noqa: ANN401 - amqp is untyped
    death = (_headers(message).get("x-death") or [{}])[0]
    return DeadLetter(
        id=message.properties.get("message_id", ""),
        type=message.delivery_info.get("routing_key", ""),
        queue=death.get("queue", ""),
        reason=death.get("reason", ""),
        count=death.get("count", 0),
        size_bytes=len(_body(message)),
    )


def _send(link: Link, message: Any, *, queue: str, headers: dict[str, Any] | None = None) -> None:  # noqa: ANN401
    """Put a copy into one queue, past the exchange of events: the other readers have theirs."""
    again = Message(
        _body(message),
        content_type=message.properties.get("content_type", ""),
        content_encoding="utf-8",
        delivery_mode=_PERSISTENT,
        message_id=message.properties.get("message_id", ""),
        application_headers=headers or {},
    )
    outcome: list[str] = []
    with ExitStack() as stack:
        for event in ("basic_return", "basic_ack", "basic_nack"):
            stack.enter_context(_noting(link.channel, event, outcome))
        link.channel.basic_publish(again, exchange="", routing_key=queue, mandatory=True)
        # A message that no queue takes is returned, and then confirmed all the same.
        while not {"basic_ack", "basic_nack"}.intersection(outcome):
            if not link.drain(timeout_seconds=_CONFIRM_SECONDS):
                raise TimeoutError("the letter was not confirmed")
    if outcome != ["basic_ack"]:
        raise LetterRefused(f"{queue or 'A queue without a name'} does not take the message back.")


@contextmanager
def _noting(channel: Any, event: str, outcome: list[str]) -> Iterator[None]:  # noqa: ANN401 - amqp is untyped
    def note(*_: object) -> None:
        outcome.append(event)

    channel.events[event].add(note)
    try:
        yield
    finally:
        channel.events[event].remove(note)


def _headers(message: Any) -> dict[str, Any]:  # noqa: ANN401 - amqp is untyped
    return dict(message.properties.get("application_headers") or {})


def _looks(message: Any) -> int:  # noqa: ANN401 - amqp is untyped
    return int(_headers(message).get("x-delivery-count", 0))


def _body(message: Any) -> bytes:  # noqa: ANN401 - amqp is untyped
    return message.body if isinstance(message.body, bytes) else str(message.body).encode()
