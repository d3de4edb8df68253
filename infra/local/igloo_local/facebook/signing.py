"""What Facebook signs with the app secret, or has signed with it: proofs and signed requests."""

import base64
import hashlib
import hmac
import json
import time


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
    payload = base64url(json.dumps(content).encode())
    return f"{base64url(hmac.digest(secret.encode(), payload.encode(), hashlib.sha256))}.{payload}"


def challenge_of(verifier: str) -> str:
    """Return PKCE's S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64url(hashlib.sha256(verifier.encode()).digest())


def base64url(content: bytes) -> str:
    """Encode as JOSE does, without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
