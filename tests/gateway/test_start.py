"""The container's entry fills the template in as the local stack does."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.nginx_process import GATEWAY
from igloo_local.parts.nginx import upstream_servers

NAMED = {
    "AUTH_UPSTREAM": "auth-1:8000 auth-2:8000",
    "SOCIAL_UPSTREAM": "social-1:8000",
    "MEDIA_UPSTREAM": "media-1:8000 media-2:8000 media-3:8000",
    "GATEWAY_LISTEN": "0.0.0.0:8080",
}


def started(folder: Path, **values: str) -> subprocess.CompletedProcess[str]:
    """Run the entry on a template of what it derives alone, with an nginx that ends at once."""
    template = folder / "template"
    names = ["AUTH", "SOCIAL", "MEDIA", "DECISION"]
    template.write_text(
        "".join(f"{name}: ${{{name}_SERVERS}}\n" for name in names)
        + "worker_processes ${GATEWAY_WORKERS};\nlisten ${GATEWAY_LISTEN} ${GATEWAY_LISTEN_AS};\n"
    )
    nginx = folder / "nginx"
    nginx.write_text("#!/bin/sh\n")
    nginx.chmod(0o755)
    script = folder / "start"
    entry = (GATEWAY / "start").read_text()
    script.write_text(re.sub(r"(?m)^template=.*$", f"template={template}", entry))
    return subprocess.run(  # noqa: S603 - our own script
        ["/bin/sh", str(script)],
        env={"PATH": f"{folder}:/usr/bin:/bin", "RUN_FOLDER": str(folder / "run"), **values},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"IGLOO_WEB_WORKERS": "3", "IGLOO_THREADS": "5"},
        {"GATEWAY_WORKERS": "4", "SOCIAL_MAX_CONNS": "9"},
    ],
)
def test_the_container_limits_as_the_local_stack_does(tmp_path: Path, chosen: Mapping[str, str]) -> None:
    done = started(tmp_path, **NAMED, **chosen)

    assert done.returncode == 0, done.stderr
    written = (tmp_path / "run" / "nginx.conf").read_text().splitlines()
    wanted = upstream_servers({**NAMED, **chosen})
    assert [" ".join(line.split()) for line in written] == [
        *(f"{name}: {wanted[f'{name}_SERVERS']}" for name in ("AUTH", "SOCIAL", "MEDIA", "DECISION")),
        f"worker_processes {wanted['GATEWAY_WORKERS']};",
        f"listen 0.0.0.0:8080 {wanted['GATEWAY_LISTEN_AS']};",
    ]


def test_what_is_missing_is_named_as_it_is_set(tmp_path: Path) -> None:
    done = started(tmp_path, AUTH_UPSTREAM="auth:8000", SOCIAL_UPSTREAM="social:8000")

    assert done.returncode == 78
    assert done.stderr.splitlines() == [
        "configuration: GATEWAY_LISTEN is not set",
        "configuration: MEDIA_UPSTREAM is not set",
    ]
