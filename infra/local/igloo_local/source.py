"""Where the sources of this checkout are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def python_path(*roots: str) -> str:
    """Return PYTHONPATH for a child: these folders of the checkout, whatever is installed."""
    return os.pathsep.join(str(ROOT / root) for root in roots)
