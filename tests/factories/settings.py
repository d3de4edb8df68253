"""The part of the test process's own environment that child processes need."""

import os

INHERITED = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
