"""The signing keys in AWS Secrets Manager."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from igloo_auth.tokens.key_stores import KeysChanged, KeysMissing, KeyStoreUnavailable, StoredKeys

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_LOG = logging.getLogger(__name__)
_CURRENT: Final = "AWSCURRENT"
_CONNECT_SECONDS: Final = 2
_READ_SECONDS: Final = 5
_ATTEMPTS: Final = 3


class SecretKeys:
    """Keeps the document in one secret, by its name or ARN.

    A new document comes in under a label of its own, and then AWSCURRENT is moved to it from the very version
    that was read: AWS refuses that when the label is elsewhere by now. So of two writers one is refused.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
    """

    setting = "IGLOO_SIGNING_KEYS_SECRET"
    reread_seconds = 60.0
    asks_network = True

    def __init__(self, secret_id: str, *, region: str) -> None:
        self._secret_id = secret_id
        self._region = region

    def read(self) -> StoredKeys:
        """Return the current version."""
        with self._asked("read") as client:
            answer = client.get_secret_value(SecretId=self._secret_id, VersionStage=_CURRENT)
        if "SecretString" not in answer:
            raise KeyStoreUnavailable(f"{self.setting} cannot be read: it holds bytes, and no text")
        return StoredKeys(content=answer["SecretString"].encode(), version=answer["VersionId"])

    def write(self, content: bytes, *, replacing: str | None) -> None:
        """Make a new version, and make it the current one unless the current one has changed."""
        version = str(uuid4())
        label = f"igloo-draft-{version}"
        try:
            with self._asked("written") as client:
                client.put_secret_value(
                    SecretId=self._secret_id,
                    ClientRequestToken=version,
                    SecretString=content.decode(),
                    VersionStages=[label],
                )
        except KeysMissing:
            self._create(content, version)
            return
        try:
            self._make_current(version, replacing)
        finally:
            self._remove_label(label, version)

    def _create(self, content: bytes, version: str) -> None:
        with self._asked("written") as client:
            client.create_secret(
                Name=self._secret_id,
                ClientRequestToken=version,
                SecretString=content.decode(),
                Description="igloo's private signing keys; written by `flask keys`",
            )

    def _make_current(self, version: str, replacing: str | None) -> None:
        # The first version of a secret becomes the current one by itself.
        if replacing is None and self._current_version() == version:
            return
        removed = {} if replacing is None else {"RemoveFromVersionId": replacing}
        try:
            with self._asked("written") as client:
                client.update_secret_version_stage(
                    SecretId=self._secret_id, VersionStage=_CURRENT, MoveToVersionId=version, **removed
                )
        except (KeyStoreUnavailable, KeysMissing):
            # AWS has no error of its own for a label that is elsewhere; and the answer to a move that was
            # made may be lost, so that the second attempt is refused. Where the label is now tells.
            current = self._current_version()
            if current == version:
                return
            if current != replacing:
                raise self._changed() from None
            raise

    def _current_version(self) -> str | None:
        try:
            return self.read().version
        except KeysMissing:
            return None

    def _remove_label(self, label: str, version: str) -> None:
        """Take the draft's label away: a secret has room for twenty."""
        try:
            with self._asked("written") as client:
                client.update_secret_version_stage(
                    SecretId=self._secret_id, VersionStage=label, RemoveFromVersionId=version
                )
        except (KeyStoreUnavailable, KeysMissing):
            _LOG.warning("A label stays on a version of the signing keys' secret", extra={"label": label})

    @cached_property
    def _client(self) -> SecretsManagerClient:
        """The client; boto3 is imported only now, as processes with a file should not carry it."""
        # A session of its own: boto3's common one must not be used by two threads at once.
        from boto3.session import Session  # noqa: PLC0415 - see the docstring
        from botocore.config import Config  # noqa: PLC0415

        return Session().client(
            "secretsmanager",
            region_name=self._region,
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            ),
        )

    @contextmanager
    def _asked(self, done: str) -> Iterator[SecretsManagerClient]:
        """Give the client, and turn what it raises into ours; `done` is what was tried."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see _client

        client = self._client
        try:
            yield client
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                raise KeysMissing(
                    f"{self.setting} cannot be {done}: there is no such secret, or none in it"
                ) from None
            if code == "ResourceExistsException":
                raise self._changed() from None
            raise KeyStoreUnavailable(
                f"{self.setting} cannot be {done}: Secrets Manager says {code}"
            ) from None
        except BotoCoreError as error:
            raise KeyStoreUnavailable(f"{self.setting} cannot be {done}: {type(error).__name__}") from None
        finally:
            # gunicorn forks after the first read: two processes on one connection would garble both.
            client.close()

    def _changed(self) -> KeysChanged:
        return KeysChanged(f"{self.setting} was changed by somebody else at the same moment")
