"""What of the demo data has been made, in a file, so that an interrupted run goes on where it was."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from igloo_local.files import write_atomically


@dataclass
class _Content:
    ids: dict[str, str]
    photos: dict[str, list[str]] = field(default_factory=dict)
    posts: dict[str, str] = field(default_factory=dict)
    complete: bool = False


class Progress:
    """Photos and posts by the post's key in the plan; worth nothing for other accounts than these."""

    def __init__(self, path: Path, ids: Mapping[str, str]) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._content = self._read(dict(ids))

    @property
    def is_complete(self) -> bool:
        """Whether everything had been made by the end of some run."""
        return self._content.complete

    def photos(self, key: str) -> Sequence[str] | None:
        """Return the media ids that were uploaded for a post, None if there are none yet."""
        return self._content.photos.get(key)

    def post_id(self, key: str) -> str | None:
        """Return the post made for a plan, None if there is none yet."""
        return self._content.posts.get(key)

    def uploaded(self, key: str, media_ids: list[str]) -> None:
        """Note the photos before their post: sent again, the request for the post is then the same one."""
        with self._lock:
            self._content.photos[key] = media_ids
            self._write()

    def posted(self, key: str, post_id: str) -> int:
        """Note that a post exists, and return how many do."""
        with self._lock:
            self._content.posts[key] = post_id
            self._write()
            return len(self._content.posts)

    def complete(self) -> None:
        """Note that nothing is missing."""
        with self._lock:
            self._content.complete = True
            self._write()

    def _read(self, ids: dict[str, str]) -> _Content:
        try:
            content = _Content(**json.loads(self._path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return _Content(ids=ids)
        # Other accounts mean another database: nothing of the plan is in it.
        return content if content.ids == ids else _Content(ids=ids)

    def _write(self) -> None:
        write_atomically(self._path, json.dumps(asdict(self._content), indent=2))
