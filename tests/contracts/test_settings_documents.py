"""Every setting that a service reads has its place in the service's README."""

from __future__ import annotations

import re

import pytest

from igloo_local.source import ROOT

SHARED = ("libs/common/igloo_common/settings.py", "libs/common/igloo_common/object_store.py")
NAME = re.compile(r'"((?:IGLOO|FACEBOOK|AWS)_[A-Z0-9_]+|SECRET_KEY)"')


def settings_of(service: str) -> set[str]:
    """Return the names that the sources of a service's settings mention."""
    sources = [f"services/{service}/igloo_{service}/settings.py", *SHARED]
    names = {name for source in sources for name in NAME.findall((ROOT / source).read_text())}
    return names - NOT_READ.get(service, set())


# auth signs the tokens that the others verify, and makes no address of a photo.
NOT_READ = {"auth": {"IGLOO_ADDRESS_SIGNING_KEYS", "IGLOO_JWKS_URL", "IGLOO_KEYS_KEPT_SECONDS"}}


@pytest.mark.parametrize("service", ["auth", "social", "media"])
def test_every_setting_has_its_place(service: str) -> None:
    text = (ROOT / "services" / service / "README.md").read_text()

    assert {name for name in settings_of(service) if f"`{name}`" not in text} == set()
