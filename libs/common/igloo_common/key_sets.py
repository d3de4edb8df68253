"""JWKS documents (RFC 7517): read, fetched from their publisher, and written with public halves alone."""

from collections.abc import Mapping
from typing import Final

import orjson
import requests
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm
from jwt.exceptions import PyJWTError

Key = EllipticCurvePublicKey

_TIMEOUT_SECONDS: Final = 2.0
_MAX_DOCUMENT_BYTES: Final = 256 * 1024


def parse_keys(document: object) -> Mapping[str, Key]:
    """Read the ES256 verification keys out of a JWKS document; others are ignored.

    Raises:
        ValueError: when it is no JWKS, or has no key that can be used.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWKS document")
    keys = {kid: key for entry in entries for kid, key in _usable(entry)}
    if not keys:
        raise ValueError("a JWKS document without any ES256 key")
    return keys


def public_document(keys: Mapping[str, Key]) -> bytes:
    """Write keys as a JWKS document, the same keys always in the same bytes."""
    entries = [{**ECAlgorithm.to_jwk(keys[kid], as_dict=True), "kid": kid} for kid in sorted(keys)]
    return orjson.dumps({"keys": entries}, option=orjson.OPT_SORT_KEYS)


def fetch_keys(url: str) -> Mapping[str, Key]:
    """Ask a publisher for its keys.

    Raises:
        requests.RequestException, ValueError: there are none to be had.
    """
    with requests.Session() as session:
        # The address is inside our own network: a proxy set for the machine does not know it.
        session.trust_env = False
        with session.get(url, timeout=_TIMEOUT_SECONDS, stream=True, allow_redirects=False) as reply:
            reply.raise_for_status()
            body = reply.raw.read(_MAX_DOCUMENT_BYTES + 1, decode_content=True)
    if len(body) > _MAX_DOCUMENT_BYTES:
        raise ValueError("a JWKS document that is too large")
    return parse_keys(orjson.loads(body))


def _usable(entry: object) -> list[tuple[str, Key]]:
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
        return []
    if entry.get("kty") != "EC" or entry.get("crv") != "P-256" or entry.get("use", "sig") != "sig":
        return []
    try:
        key = PyJWK(entry, algorithm="ES256").key
    except PyJWTError:
        return []
    # A private key in a public document still has only its public half taken.
    public = key if isinstance(key, EllipticCurvePublicKey) else key.public_key()
    return [(entry["kid"], public)]
