"""What a place is that keeps the signing keys: read whole, and written only over what was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class KeyStoreProblem(Exception):
    """The place of the keys does not do as asked; the text says so, naming the setting."""


class KeysMissing(KeyStoreProblem):
    """There are no keys yet."""


class KeyStoreUnavailable(KeyStoreProblem):
    """The place cannot be reached, read or written."""


class KeysChanged(KeyStoreProblem):
    """Somebody else has written since the document was read; nothing was written now."""


@dataclass(frozen=True, kw_only=True)
class StoredKeys:
    """A document as it is stored, and which version of it this is."""

    content: bytes = field(repr=False)
    version: str


class KeyStore(Protocol):
    """Keeps one document."""

    @property
    def setting(self) -> str:
        """The name of the setting that says where it is."""

    @property
    def reread_seconds(self) -> float:
        """How often a running process looks whether the document has changed."""

    @property
    def asks_network(self) -> bool:
        """Whether reading takes so long that no request may wait for it."""

    def read(self) -> StoredKeys:
        """Return the document.

        Raises:
            KeysMissing, KeyStoreUnavailable
        """

    def write(self, content: bytes, *, replacing: str | None) -> None:
        """Put a document in place of the version that was read; None expects that there is none.

        Raises:
            KeysChanged: When another version is there by now.
            KeyStoreUnavailable
        """
