"""How each operation is called: paths with the world's ids in them, and a body where one is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson

from contracts.access.worlds import World
from igloo_common.ids import new_id

DOCUMENT: Final = Path(__file__).parents[3] / "gateway/web/openapi.json"
METHODS: Final = frozenset({"get", "put", "post", "patch", "delete"})


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation of the merged document."""

    id: str
    method: str
    path: str
    access: Mapping[str, Any]
    document: Mapping[str, Any] = field(repr=False, hash=False, compare=False)

    @property
    def objects(self) -> Mapping[str, str]:
        """The things that a request names, by parameter or field, each with its rule."""
        found: Mapping[str, str] = self.access.get("objects", {})
        return found

    def __str__(self) -> str:
        """Name it in a test's id."""
        return self.id


@cache
def operations() -> tuple[Operation, ...]:
    """Read all operations of the merged document."""
    paths: Mapping[str, Mapping[str, Any]] = orjson.loads(DOCUMENT.read_bytes())["paths"]
    return tuple(
        Operation(
            id=document["operationId"],
            method=method.upper(),
            path=path,
            access=document.get("x-igloo-access", {}),
            document=document,
        )
        for path, item in sorted(paths.items())
        for method, document in sorted(item.items())
        if method in METHODS
    )


@cache
def components() -> Mapping[str, Mapping[str, Any]]:
    """Read the document's schemas by name."""
    schemas: Mapping[str, Mapping[str, Any]] = orjson.loads(DOCUMENT.read_bytes())["components"]["schemas"]
    return schemas


def path_of(operation: Operation, world: World) -> str:
    """Write the operation's path with the world's ids, and its query where the ids go there."""
    path = operation.path.format_map({name: _id(name, world) for name in _path_names(operation)})
    return path + QUERIES.get(operation.id, "").format(world=world)


def unknown_path_of(operation: Operation) -> str:
    """Write the operation's path with ids that nobody has."""
    return operation.path.format_map({name: _unknown(name) for name in _path_names(operation)})


def body_of(operation: Operation, world: World) -> object | None:
    """Return the body to send; None when the operation takes none.

    Raises:
        LookupError: It wants one, and nobody has said here what to send.
    """
    if operation.id in BODIES:
        return BODIES[operation.id](world)
    if operation.document.get("requestBody", {}).get("required"):
        raise LookupError(f"say in BODIES how {operation.id} is called")
    return None


QUERIES: Final = {"listRelationships": "?user_id={world.owner_id}", "findProfiles": "?q={world.owner_name}"}
BODIES: Final[Mapping[str, Callable[[World], object]]] = {
    "createPost": lambda world: {"caption": "Snow", "media_ids": [str(world.media_id)]},
    "editPost": lambda _: {"caption": "More snow"},
    "createComment": lambda _: {"text": "So white!"},
    "createReport": lambda world: {
        "target_kind": "post",
        "target_id": str(world.post_id),
        "reason": "spam",
    },
    "resolveReport": lambda _: {"resolution": "dismiss"},
    "reopenReport": lambda _: {"note": "A mistake."},
    "describeMedia": lambda _: {"alt_text": "Snow"},
    "editMyProfile": lambda _: {"bio": "White in winter"},
    "moveNotificationsReadMarker": lambda _: {"read_until": "2026-01-01T00:00:00Z"},
    "changeNotificationPreferences": lambda _: {"like": "list"},
    "registerDevice": lambda _: {"platform": "fcm", "token": f"token-{new_id()}"},
    "completeUploads": lambda world: {"upload_ids": [str(world.upload_id)]},
    "requestUploads": lambda _: {"files": [{"content_type": "image/jpeg", "size_bytes": 1_000}]},
}


def _path_names(operation: Operation) -> list[str]:
    return [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]


def _id(name: str, world: World) -> str:
    if name == "user_id":
        return str(world.owner_id)
    found = getattr(world, name, None)
    return str(found) if isinstance(found, UUID) else _unknown(name)


def _unknown(name: str) -> str:
    return "snow" if name == "tag" else str(new_id())
