"""Everything that Facebook signs or has signed: proofs, signed requests, Limited Login's id tokens."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from igloo_local.files import write_secret

# https://developers.facebook.com/docs/facebook-login/limited-login/token/
ISSUER = "https://limited.facebook.com"
_ID_TOKEN_SECONDS = 3600
_KEY_BITS = 2048


def appsecret_proof(token: str, secret: str) -> str:
    """Return the proof that a server adds to its calls.

    https://developers.facebook.com/docs/graph-api/guides/secure-requests/#appsecret_proof
    """
    return hmac.digest(secret.encode(), token.encode(), hashlib.sha256).hex()


def signed_request(person_id: str, secret: str) -> str:
    """Return the form value that the deauthorize and data deletion callbacks carry.

    https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback/
    """
    content = {"algorithm": "HMAC-SHA256", "issued_at": int(time.time()), "user_id": person_id}
    payload = _base64url(json.dumps(content).encode())
    return f"{_base64url(hmac.digest(secret.encode(), payload.encode(), hashlib.sha256))}.{payload}"


def challenge_of(verifier: str) -> str:
    """Return PKCE's S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return _base64url(hashlib.sha256(verifier.encode()).digest())


class IdTokens:
    """Limited Login: RS256 id tokens under a key made at the first start and kept."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file

    def issue(self, *, app_id: str, person_id: str, name: str, picture: str, nonce: str | None) -> str:
        """Issue the token that the phone's SDK would hold after a Limited Login."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": app_id, "sub": person_id, "iat": now, "exp": now + _ID_TOKEN_SECONDS}
        about = {"jti": str(uuid.uuid4()), "name": name, "picture": picture}
        wanted = {} if nonce is None else {"nonce": nonce}
        return jwt.encode(
            {**claims, **about, **wanted}, self._key, algorithm="RS256", headers={"kid": self._key_id}
        )

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JWK set."""
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": self._key_id, "use": "sig", "alg": "RS256"}]}

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        if not self._key_file.exists():
            made = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
            write_secret(self._key_file, _pem(made))
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{self._key_file} holds another kind of key")
        return key

    @cached_property
    def _key_id(self) -> str:
        return hashlib.sha1(_pem(self._key).encode(), usedforsecurity=False).hexdigest()


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
