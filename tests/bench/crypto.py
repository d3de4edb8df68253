"""What cryptography alone costs on this machine, and what igloo's verifier costs on top of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from factories.tokens import AUDIENCE, ISSUER, StaticKeys, token_for
from igloo_common.identity import TokenVerifier
from igloo_common.ids import new_id

MESSAGE = b"a header and claims, of about the length that ours have" * 6
ROUNDS = 2_000
ES256 = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, kw_only=True)
class CryptoFloors:
    """CPU milliseconds of one operation, without any encoding around it."""

    es256_sign_ms: float
    es256_verify_ms: float
    rs256_verify_ms: float


def measure_crypto() -> CryptoFloors:
    """Measure the primitives that signing in, refreshing and verifying cannot do without."""
    elliptic = ec.generate_private_key(ec.SECP256R1())
    public, signature = elliptic.public_key(), elliptic.sign(MESSAGE, ES256)
    big = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    rsa_public = big.public_key()
    rsa_signature = big.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    return CryptoFloors(
        es256_sign_ms=_cpu_ms(lambda: elliptic.sign(MESSAGE, ES256)),
        es256_verify_ms=_cpu_ms(lambda: public.verify(signature, MESSAGE, ES256)),
        rs256_verify_ms=_cpu_ms(
            lambda: rsa_public.verify(rsa_signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
        ),
    )


def verify_first_ms() -> float:
    """Measure the verifier on tokens that it has not seen."""
    verifier, tokens = _verifier(), [token_for(new_id()) for _ in range(ROUNDS)]
    return _cpu_ms_of(verifier.verify, tokens)


def verify_again_ms() -> float:
    """Measure the verifier on a token that it remembers."""
    verifier, token = _verifier(), token_for(new_id())
    verifier.verify(token)
    return _cpu_ms(lambda: verifier.verify(token), rounds=50 * ROUNDS)


class _NobodyDenied:
    def denies(self, session_id: UUID) -> bool:
        """Deny nobody."""
        return False


def _verifier() -> TokenVerifier:
    return TokenVerifier(keys=StaticKeys(), issuer=ISSUER, audience=AUDIENCE, denylist=_NobodyDenied())


def _cpu_ms(work: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    work()
    before = time.process_time()
    for _ in range(rounds):
        work()
    return (time.process_time() - before) / rounds * 1000


def _cpu_ms_of(work: Callable[[str], object], values: Iterable[str]) -> float:
    given = list(values)
    before = time.process_time()
    for value in given:
        work(value)
    return (time.process_time() - before) / len(given) * 1000
