"""Published facts: what an event is, and how it looks on the wire."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import orjson

_TYPE = re.compile(r"[a-z]+\.[a-z_]+\.[a-z_]+\.v[1-9][0-9]*")
_BIGINT = 2**63


@dataclass(frozen=True, kw_only=True)
class Event(ABC):
    """A fact that its publisher announces once it is true.

    A subclass is a frozen dataclass of its own, with `type` = `<service>.<thing>.<past-tense verb>.v<n>`.
    """

    type: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Refuse a subclass whose type does not follow the naming rule, when it is defined."""
        super().__init_subclass__()
        if not _TYPE.fullmatch(getattr(cls, "type", "")):
            raise TypeError(f"{cls.__name__}.type must look like 'service.thing.happened.v1'.")

    @property
    @abstractmethod
    def aggregate_key(self) -> str:
        """Name the thing whose events are delivered in order, for example `post:<id>`."""


def encode_data(event: Event) -> bytes:
    """Encode the fields of an event: UUIDs and times as strings."""
    return orjson.dumps(event, option=orjson.OPT_UTC_Z)


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A CloudEvents 1.0 event in structured mode; `data` is JSON, still encoded on its way out."""

    id: UUID
    type: str
    key: str
    sequence: int
    time: datetime
    traceparent: str | None
    data: bytes | dict[str, Any]


def encode_envelope(envelope: Envelope, *, source: str) -> bytes:
    """Write an envelope as CloudEvents JSON; `source` is `/igloo/<service>`."""
    fields = {
        "specversion": "1.0",
        "id": envelope.id,
        "source": source,
        "type": envelope.type,
        "subject": envelope.key,
        "time": envelope.time,
        "datacontenttype": "application/json",
        "sequence": envelope.sequence,
        "data": orjson.Fragment(envelope.data) if isinstance(envelope.data, bytes) else envelope.data,
    }
    if envelope.traceparent is not None:
        fields["traceparent"] = envelope.traceparent
    return orjson.dumps(fields, option=orjson.OPT_UTC_Z)


class UnreadableEnvelope(ValueError):
    """A message is no CloudEvents 1.0 event as igloo writes them."""


def decode_envelope(body: bytes) -> Envelope:
    """Read and check an envelope; attributes that nobody here knows are ignored.

    Raises:
        UnreadableEnvelope: when an attribute is missing or of another kind.
    """
    try:
        fields = orjson.loads(body)
        envelope = Envelope(
            id=UUID(fields["id"]),
            type=fields["type"],
            key=fields["subject"],
            sequence=fields["sequence"],
            time=datetime.fromisoformat(fields["time"]),
            traceparent=fields.get("traceparent"),
            data=fields["data"],
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnreadableEnvelope(f"{type(error).__name__}: {error}") from error
    _check(envelope, specversion=fields.get("specversion"))
    return envelope


def _check(envelope: Envelope, *, specversion: object) -> None:
    if specversion != "1.0":
        raise UnreadableEnvelope("specversion is not 1.0")
    if not isinstance(envelope.type, str) or not isinstance(envelope.key, str) or not envelope.key:
        raise UnreadableEnvelope("type and subject must be strings")
    if type(envelope.sequence) is not int or not 0 < envelope.sequence < _BIGINT:
        raise UnreadableEnvelope("sequence is not a positive integer")
    if envelope.time.tzinfo is None:
        raise UnreadableEnvelope("time has no zone")
    if not isinstance(envelope.data, dict) or not isinstance(envelope.traceparent, str | None):
        raise UnreadableEnvelope("data must be an object, and traceparent a string")
