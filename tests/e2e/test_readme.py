"""The README's curl journey works as it is pasted."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from e2e.conftest import Town

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
JOURNEY_SECONDS = 90


def journey_of(readme: str) -> str:
    """Return the shell blocks between the journey's heading and the next one."""
    section = readme.split("## The journey, with curl", 1)[1].split("\n## ", 1)[0]
    return "\n".join(re.findall(r"```bash\n(.*?)```", section, flags=re.DOTALL))


def test_the_journey_of_the_readme_runs_as_it_is_pasted(town: Town, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    script = journey_of((ROOT / "README.md").read_text()).replace("/tmp/", f"{tmp_path}/")  # noqa: S108

    done = subprocess.run(  # noqa: S603 - our own README
        [bash, "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "IGLOO_LOCAL_DIR": str(town.stack.folder)},
        capture_output=True,
        text=True,
        timeout=JOURNEY_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "200 image/webp" in done.stdout
    assert '"kind":"like"' in done.stdout.replace(" ", "")
    assert '"status":404' in done.stdout.replace(" ", "")
    assert done.stdout.rstrip().splitlines()[-1].startswith('{"data":[]')
