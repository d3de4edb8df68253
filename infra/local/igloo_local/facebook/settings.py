"""What the stand-in is told by the local stack."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Apps that exist at this Facebook, where it keeps its people, and where it is reached."""

    folder: Path
    public_url: str
    apps: Mapping[str, str]
    """App id → app secret: igloo's own first, and one more, whose tokens igloo must refuse."""
    deauthorize_url: str
    data_deletion_url: str

    @classmethod
    def load(cls) -> Self:
        """Read the environment that the local stack prepared; a missing name is an error of the stack."""
        env = os.environ
        return cls(
            folder=Path(env["IGLOO_STANDIN_FOLDER"]),
            public_url=env["IGLOO_STANDIN_URL"],
            apps={
                env["FACEBOOK_APP_ID"]: env["FACEBOOK_APP_SECRET"],
                env["IGLOO_STANDIN_OTHER_APP_ID"]: env["IGLOO_STANDIN_OTHER_APP_SECRET"],
            },
            deauthorize_url=env["IGLOO_STANDIN_DEAUTHORIZE_URL"],
            data_deletion_url=env["IGLOO_STANDIN_DATA_DELETION_URL"],
        )
