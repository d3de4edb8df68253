"""The blueprint of every service: flask-smorest's documentation, with less work per request."""

from collections.abc import Callable, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

import flask_smorest
from flask import Response, request
from marshmallow import Schema

from igloo_common.access import ACCESS_MEMBER
from igloo_common.inputs import Location, load

View = Callable[..., Response]
AnyView = TypeVar("AnyView", bound=Callable[..., Any])


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """Documents views as flask-smorest does; reads input by `igloo_common.inputs`.

    Every view must say who may call it (`igloo_common.access`), or is refused when it is registered.
    """

    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING = {  # noqa: RUF012 -- the base class declares it so
        **flask_smorest.Blueprint.DEFAULT_LOCATION_CONTENT_TYPE_MAPPING,
        "json_or_form": "application/json",
    }

    def route(self, rule: str, **options: Any) -> Callable[[AnyView], AnyView]:  # noqa: ANN401 -- Flask's
        """Serve a path with a view, and document it; `methods` as in Flask."""
        decorate: Callable[[AnyView], AnyView] = super().route(rule, **options)
        return decorate

    def arguments(
        self,
        schema: type[Schema] | Schema,
        *,
        location: Location = "json",
        required: bool = True,
        **options: Any,  # noqa: ANN401 -- flask-smorest's
    ) -> Callable[[View], View]:
        """Give the view what the schema loads from the request, as its next positional argument."""
        instance = schema() if isinstance(schema, type) else schema
        document = super().arguments(instance, location=location, required=required, **options)

        def decorate(view: View) -> View:
            @wraps(view)
            def loaded(*args: object, **kwargs: object) -> Response:
                return view(*args, load(instance, location, required=required), **kwargs)

            return _carry(document(view), loaded)

        return decorate

    def response(self, status_code: int, schema: Any = None, **options: Any) -> Callable[[View], View]:  # noqa: ANN401
        """Document the reply; the view makes it itself, as bytes."""
        document = super().response(status_code, schema, **options)
        return lambda view: _carry(document(view), view)

    def alt_response(self, status_code: int, *args: Any, **options: Any) -> Callable[[View], View]:  # noqa: ANN401
        """Document another reply that the operation may give: by the name of a shared one, or in full."""
        if args and options:
            # flask-smorest drops them without a word: OpenAPI has no place for more beside a reference.
            raise TypeError(
                f"{args[0]} says all; tell in the view's docstring what else there is to {status_code}"
            )
        document = super().alt_response(status_code, *args, **options)
        return lambda view: _carry(document(view), view)

    def doc(self, **members: Any) -> Callable[[AnyView], AnyView]:  # noqa: ANN401 -- any OpenAPI members
        """Add members to the operation's document."""
        document = super().doc(**members)
        return lambda view: _carry(document(view), view)

    def _prepare_arguments_doc(self, doc: Any, doc_info: Any, **options: Any) -> Any:  # noqa: ANN401 -- likewise
        parameters = doc_info.get("arguments", {}).get("parameters", ())
        either = any(parameter["in"] == "json_or_form" for parameter in parameters)
        prepared = super()._prepare_arguments_doc(doc, doc_info, **options)
        if either:
            content = prepared["requestBody"]["content"]
            content["application/x-www-form-urlencoded"] = content["application/json"]
        return prepared

    def _store_endpoint_docs(
        self,
        endpoint: str,
        obj: Any,  # noqa: ANN401 -- flask-smorest's
        parameters: Any,  # noqa: ANN401 -- likewise
        tags: Any,  # noqa: ANN401 -- likewise
        **options: Any,  # noqa: ANN401 -- likewise
    ) -> None:
        methods: Sequence[str] = options.get("methods", ("GET",))
        if len(methods) != 1:
            raise TypeError(f"{endpoint}: one view serves one method, so that operationId names it")
        super()._store_endpoint_docs(endpoint, obj, parameters, tags, **options)
        documented = self._docs[endpoint][methods[0].lower()]
        # Whoever may be turned away for want of a place or of a database may be so by any operation.
        replies = documented.setdefault("response", {}).setdefault("responses", {})
        replies.setdefault(HTTPStatus.SERVICE_UNAVAILABLE.value, ["SERVICE_UNAVAILABLE"])
        manual = documented.setdefault("manual_doc", {})
        if "caller" not in manual.get(ACCESS_MEMBER, {}):
            raise TypeError(f"{endpoint}: decorate it with access.public, .optional, .user or .scope(...)")
        manual.setdefault("operationId", _camel_case(endpoint))


def body_limit(size_bytes: int) -> Callable[[View], View]:
    """Let this one view take more, or less, than the megabyte that others take; the innermost but access."""

    def decorate(view: View) -> View:
        @wraps(view)
        def limited(*args: object, **kwargs: object) -> Response:
            request.max_content_length = size_bytes
            return view(*args, **kwargs)

        return limited

    return decorate


def _carry(documented: Any, view: AnyView) -> AnyView:  # noqa: ANN401 -- what flask-smorest made of the view
    view._apidoc = documented._apidoc  # type: ignore[attr-defined]  # where it keeps a view's document
    return view


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
