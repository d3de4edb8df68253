"""What the name that a person shows to others may be, beside what every text may."""

from typing import Final

MAXIMUM_LENGTH: Final = 50
"""Characters of a display name."""
