"""The media service as gunicorn imports it, for tests: it knows a key that its environment names."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from factories.tokens import KEY_ID, StaticKeys
from igloo_common.settings import Environment
from igloo_media.app import create_app

_public = load_pem_public_key(Environment.load().text("TEST_PUBLIC_KEY").encode())
assert isinstance(_public, ec.EllipticCurvePublicKey)
app = create_app(keys=StaticKeys({KEY_ID: _public}))
