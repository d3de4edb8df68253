"""What the generated documents share."""

from __future__ import annotations

import inspect

NOTE = "<!-- Generated from the code by `make docs`; a test fails when the two differ. -->\n"


def first_sentence(documented: object) -> str:
    """Return the first line of a docstring, in which this code base says what a thing is.

    Raises:
        ValueError: it has none.
    """
    text = inspect.getdoc(documented)
    if not text:
        raise ValueError(f"{documented!r} has no docstring to document it with")
    return text.splitlines()[0]
