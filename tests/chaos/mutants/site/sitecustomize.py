"""Loaded by every Python that finds this folder on its path: makes a mutant of it, then lets others in."""

import os
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

_HERE = Path(__file__).parent


def _load_the_next_one() -> None:
    """Load the `sitecustomize` that this one hides, as fake clocks bring one of their own."""
    others = [path for path in sys.path if path and Path(path).resolve() != _HERE.resolve()]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


_load_the_next_one()
# No settings.py has a word for it: no service may ever be told to be a mutant.
import_module(os.environ["IGLOO_MUTANT"]).mutate()  # noqa: TID251
