"""The signing keys in a file: for a laptop and for containers that share a volume."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from igloo_auth.tokens.key_stores import KeysChanged, KeysMissing, KeyStoreUnavailable, StoredKeys

_LOG = logging.getLogger(__name__)
_OTHERS: Final = 0o077


class FileKeys:
    """Keeps the document in one file, which is at every moment whole and of one version."""

    setting = "IGLOO_SIGNING_KEYS_FILE"
    reread_seconds = 1.0
    asks_network = False

    def __init__(self, file: Path) -> None:
        self._file = file
        self._warned = False

    def read(self) -> StoredKeys:
        """Return what is in the file."""
        try:
            with self._file.open("rb") as opened:
                self._note_mode(os.fstat(opened.fileno()).st_mode)
                content = opened.read()
        except FileNotFoundError as error:
            raise KeysMissing(f"{self.setting} cannot be read: {error.strerror}") from error
        except OSError as error:
            raise KeyStoreUnavailable(f"{self.setting} cannot be read: {error.strerror}") from error
        return StoredKeys(content=content, version=hashlib.sha256(content).hexdigest())

    def write(self, content: bytes, *, replacing: str | None) -> None:
        """Put a new file in place of the version that was read."""
        try:
            with self._locked_folder() as folder:
                if self._version() != replacing:
                    raise KeysChanged(f"{self.setting} was changed by somebody else at the same moment")
                self._remove_drafts()
                self._replace(content)
                os.fsync(folder)
        except OSError as error:
            raise KeyStoreUnavailable(f"{self.setting} cannot be written: {error.strerror}") from error

    @contextmanager
    def _locked_folder(self) -> Iterator[int]:
        # The folder, not the file: every write puts another file in place, and a lock file would stay behind.
        folder = os.open(self._file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield folder
        finally:
            os.close(folder)

    def _version(self) -> str | None:
        try:
            return self.read().version
        except KeysMissing:
            return None

    def _replace(self, content: bytes) -> None:
        descriptor, draft = tempfile.mkstemp(dir=self._file.parent, prefix=self._draft_prefix)  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as written:
                written.write(content)
                written.flush()
                self._keep_owner(written.fileno())
                os.fsync(written.fileno())
            os.replace(draft, self._file)
        except BaseException:
            os.unlink(draft)
            raise

    def _keep_owner(self, draft: int) -> None:
        """Leave the file to who had it: root rotating the keys must not lock the service out of them."""
        try:
            before = self._file.stat()
        except FileNotFoundError:
            return
        if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(draft, before.st_uid, before.st_gid)

    def _remove_drafts(self) -> None:
        """Remove what writers left behind that were killed; who writes now holds the lock."""
        for draft in self._file.parent.iterdir():
            if draft.name.startswith(self._draft_prefix):
                draft.unlink()

    @property
    def _draft_prefix(self) -> str:
        return f".{self._file.name}.draft-"

    def _note_mode(self, mode: int) -> None:
        if mode & _OTHERS and not self._warned:
            self._warned = True
            _LOG.warning("The file of signing keys can be read by others than its owner")
