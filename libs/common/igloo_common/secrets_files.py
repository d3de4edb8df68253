"""The `.secrets` files of the first design: JSON, one base and one for each environment."""

from collections.abc import Mapping
from pathlib import Path

import orjson


def read_secrets(path: Path, problems: list[str]) -> Mapping[str, object]:
    """Read one file; a missing one is empty, an unreadable one is added to the problems."""
    try:
        content = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        problems.append(f"{path} cannot be read as JSON: {error}")
        return {}
    if not isinstance(content, dict):
        problems.append(f"{path} must hold a JSON object")
        return {}
    return content


def merged(below: Mapping[str, object], above: Mapping[str, object]) -> Mapping[str, object]:
    """Lay one object over another, object by object within."""
    result = dict(below)
    for key, value in above.items():
        known = result.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            result[key] = merged(known, value)
        else:
            result[key] = value
    return result


def within(secrets: Mapping[str, object], dotted: str) -> object:
    """Find what a dotted name leads to, such as `DATABASES.default.HOST`; None where it leads nowhere."""
    found: object = secrets
    for key in dotted.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found
