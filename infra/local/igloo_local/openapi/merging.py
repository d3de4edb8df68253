"""Joins the services' OpenAPI documents into one: public paths alone, equal components once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]

PRIVATE_PREFIXES = ("/internal/",)
PRIVATE_PATHS = frozenset({"/readyz", "/metrics", "/healthz", "/openapi.json"})


class ClashingDocuments(Exception):
    """Two services document the same path or operation."""


def merge(documents: Mapping[str, Json], *, own: Json, info: Json) -> Json:
    """Join the documents of the services, by name, and the gateway's own paths, components and tags.

    Raises:
        ClashingDocuments: a path or an operationId is there twice.
    """
    merged: Json = {
        "openapi": next(iter(documents.values()))["openapi"],
        "info": info,
        "servers": [{"url": "/"}],
        "paths": {},
        "components": {},
        "tags": list(own["tags"]),
    }
    for service, document in documents.items():
        public = _with_public_paths(document, service)
        renamed = _with_own_names(public, service, taken=merged["components"])
        _add_paths(merged["paths"], renamed["paths"])
        for kind, components in renamed["components"].items():
            merged["components"].setdefault(kind, {}).update(components)
        used = {tag for operation in _operations(renamed["paths"]) for tag in operation.get("tags", ())}
        merged["tags"] += [tag for tag in document.get("tags", ()) if tag["name"] in used]
    _add_paths(merged["paths"], own["paths"])
    for kind, components in own["components"].items():
        merged["components"].setdefault(kind, {}).update(components)
    _check_operation_ids(merged["paths"])
    merged["tags"].sort(key=lambda tag: str(tag["name"]))
    return _without_unused_components(merged)


def is_private(path: str) -> bool:
    """Tell whether a documented path is for the inside alone."""
    return path in PRIVATE_PATHS or path.startswith(PRIVATE_PREFIXES)


def _with_public_paths(document: Json, service: str) -> Json:
    paths = {path: item for path, item in document["paths"].items() if not is_private(path)}
    for operation in _operations(paths):
        operation["x-igloo-service"] = service
    return {"paths": paths, "components": document.get("components", {})}


def _with_own_names(document: Json, service: str, *, taken: Mapping[str, Json]) -> Json:
    """Put the service's name before each component that an earlier service means otherwise."""
    names = {
        (kind, name): f"{service.capitalize()}{name}"
        for kind, components in document["components"].items()
        for name, component in components.items()
        if taken.get(kind, {}).get(name, component) != component
    }
    references = {
        f"#/components/{kind}/{old}": f"#/components/{kind}/{new}" for (kind, old), new in names.items()
    }
    components = {
        kind: {names.get((kind, name), name): component for name, component in named.items()}
        for kind, named in document["components"].items()
    }
    return {
        "paths": _with_references(document["paths"], references),
        "components": _with_references(components, references),
    }


def _with_references(part: Any, references: Mapping[str, str]) -> Any:  # noqa: ANN401 - any part of a document
    if isinstance(part, dict):
        return {
            name: references.get(value, value) if name == "$ref" else _with_references(value, references)
            for name, value in part.items()
        }
    return [_with_references(each, references) for each in part] if isinstance(part, list) else part


def _add_paths(paths: Json, more: Json) -> None:
    both = sorted(paths.keys() & more.keys())
    if both:
        raise ClashingDocuments(f"documented twice: {', '.join(both)}")
    paths.update(more)


def _check_operation_ids(paths: Json) -> None:
    names = [operation["operationId"] for operation in _operations(paths)]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ClashingDocuments(f"operationId used twice: {', '.join(repeated)}")


def _operations(paths: Json) -> Iterator[Json]:
    for item in paths.values():
        yield from (operation for operation in item.values() if isinstance(operation, dict))


def _without_unused_components(document: Json) -> Json:
    """Leave out what no path leads to, such as the error replies that nobody documents."""
    used = _references(document["paths"])
    pending = list(used)
    while pending:
        _, _, kind, name = pending.pop().split("/")
        found = _references(document["components"][kind][name]) - used
        used |= found
        pending += found
    components = {
        kind: {
            name: component
            for name, component in named.items()
            if f"#/components/{kind}/{name}" in used or kind == "securitySchemes"
        }
        for kind, named in document["components"].items()
    }
    return {**document, "components": {kind: named for kind, named in components.items() if named}}


def _references(part: object) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(_references, part.values()))
    if isinstance(part, list):
        return set().union(*map(_references, part))
    return set()
