"""An account for programs that refuse to run as root, such as PostgreSQL."""

import os
import pwd
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from igloo_local.processes import Command

_ACCOUNT = "nobody"
_OTHERS_MAY_ENTER = 0o001
_OTHERS_MAY_RUN = 0o005


@dataclass(frozen=True, kw_only=True)
class Unprivileged:
    """Who runs the program: ourselves, or an ordinary account when we are root."""

    user: int | None
    group: int | None
    passes_closed_folders: bool

    @classmethod
    def owning(cls, data: Path, *, programs: Path) -> Self:
        """Choose the account for programs that work on `data`: its owner if there is one, else `nobody`."""
        if os.geteuid() != 0:
            return cls(user=None, group=None, passes_closed_folders=False)
        account = _owner(data) or pwd.getpwnam(_ACCOUNT)
        closed = not (_open_to_others(data) and _open_to_others(programs) and _readable(programs))
        return cls(user=account.pw_uid, group=account.pw_gid, passes_closed_folders=closed)

    def own(self, path: Path) -> None:
        """Give a file or folder to the account."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)

    def command(
        self,
        arguments: Sequence[str],
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_seconds: float = 10,
    ) -> Command:
        """Return the command that runs a program under the account."""
        if not self.passes_closed_folders:
            return Command(
                arguments=arguments,
                user=self.user,
                group=self.group,
                stop_signal=stop_signal,
                stop_seconds=stop_seconds,
            )
        # A checkout below /root is closed to every other account. One capability lets the program pass;
        # the alternative is to loosen the permissions of somebody's home folder.
        return Command(
            arguments=[*_keep_one_capability(self.user, self.group, stop_signal), *arguments],
            stop_signal=stop_signal,
            stop_seconds=stop_seconds,
        )


def _keep_one_capability(user: int | None, group: int | None, stop_signal: signal.Signals) -> list[str]:
    setpriv = shutil.which("setpriv", path="/usr/bin:/bin:/usr/sbin:/sbin") or "setpriv"
    return [
        setpriv,
        f"--reuid={user}",
        f"--regid={group}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        # Changing the user clears the signal that the parent arranged.
        f"--pdeathsig={stop_signal.name.removeprefix('SIG')}",
    ]


def _owner(path: Path) -> pwd.struct_passwd | None:
    try:
        user = path.stat().st_uid
        return pwd.getpwuid(user) if user else None
    except (FileNotFoundError, KeyError):
        return None


def _open_to_others(path: Path) -> bool:
    existing = [folder for folder in path.absolute().parents if folder.exists()]
    return all(folder.stat().st_mode & _OTHERS_MAY_ENTER for folder in existing)


def _readable(programs: Path) -> bool:
    return all(
        path.stat().st_mode & _OTHERS_MAY_RUN == _OTHERS_MAY_RUN for path in (programs, *programs.iterdir())
    )
