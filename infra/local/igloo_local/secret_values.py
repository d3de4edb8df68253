"""Secrets of development: made up at the first start, kept in a file that only its owner can read."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from igloo_local.errors import StackError
from igloo_local.files import write_secret


@dataclass(frozen=True, kw_only=True)
class SecretValues:
    """What the services share; signing keys of auth are made by auth itself."""

    secret_key: str
    address_signing_key: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Read the secrets, or make them up when there are none yet.

        Raises:
            StackError: the file is there and not readable as such; it is never replaced silently.
        """
        if not path.exists():
            made_up = cls(secret_key=secrets.token_urlsafe(48), address_signing_key=secrets.token_urlsafe(48))
            write_secret(path, json.dumps(asdict(made_up), indent=2))
        try:
            return cls(**json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise StackError(
                f"{path} does not hold the development secrets; remove it to have new ones"
            ) from error
