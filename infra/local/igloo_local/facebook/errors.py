"""Graph's errors, in the shape and with the codes that Graph itself uses.

https://developers.facebook.com/docs/graph-api/guides/error-handling/
"""

import secrets
from http import HTTPStatus

from flask import Response, jsonify


class GraphError(Exception):
    """A refusal as Graph words it."""

    def __init__(
        self,
        message: str,
        *,
        code: int,
        subcode: int | None = None,
        kind: str = "OAuthException",
        status: int = HTTPStatus.BAD_REQUEST,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.subcode = subcode
        self.kind = kind
        self.status = status

    def short_form(self) -> dict[str, object]:
        """Return the form in which debug_token speaks about its input token."""
        subcode = {} if self.subcode is None else {"subcode": self.subcode}
        return {"code": self.code, "message": str(self), **subcode}


class TokenUnknown(GraphError):
    """The token was never issued here, or is not a token at all."""

    def __init__(self) -> None:
        super().__init__("Invalid OAuth access token - Cannot parse access token", code=190)


class TokenMissing(GraphError):
    """The call carries no access token."""

    def __init__(self) -> None:
        super().__init__(
            "An active access token must be used to query information about the current user.", code=2500
        )


class ParameterInvalid(GraphError):
    """A parameter is missing or makes no sense."""

    def __init__(self, message: str) -> None:
        super().__init__(f"(#100) {message}", code=100)


class ProofInvalid(GraphError):
    """appsecret_proof is missing or wrong."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code=100, kind="GraphMethodException")


class ObjectUnknown(GraphError):
    """There is no such path, object or permission to see it; Graph does not tell which."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Unsupported request. Object with ID '{name}' does not exist, cannot be loaded due to missing "
            "permissions, or does not support this operation.",
            code=100,
            subcode=33,
            kind="GraphMethodException",
        )


def graph_error_response(error: GraphError) -> Response:
    """Render the error as Graph does, trace id included."""
    body: dict[str, object] = {"message": str(error), "type": error.kind, "code": error.code}
    if error.subcode is not None:
        body["error_subcode"] = error.subcode
    response = jsonify({"error": {**body, "fbtrace_id": secrets.token_urlsafe(17)}})
    response.status_code = error.status
    return response
