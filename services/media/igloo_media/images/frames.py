"""The decoded frames of a photo, upright and small, from the formats that libvips decodes itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyvips

from igloo_media.images.colors import as_shown
from igloo_media.images.header import Header

# What browsers do with frames that are hardly there: shorter than this becomes that (both milliseconds).
SHORTEST_DELAY, USUAL_DELAY = 20, 100
OPENED_PIXELS = 40_000_000


@dataclass(frozen=True, kw_only=True)
class Frames:
    """The frames of a photo in memory: one, or those of an animation with their timing."""

    images: tuple[Any, ...]
    delays: tuple[int, ...] = ()
    """Milliseconds, one for each frame of an animation."""
    loop: int = 0
    """How often an animation plays; 0 is for ever."""

    @property
    def first(self) -> Any:  # noqa: ANN401 - pyvips has no types
        """The frame that stands for all of them."""
        return self.images[0]

    @property
    def is_animated(self) -> bool:
        """Whether it moves."""
        return len(self.images) > 1

    def each(self, change: Callable[[Any], Any]) -> Frames:
        """Return the frames changed one by one."""
        return replace(self, images=tuple(change(image) for image in self.images))


def decoded(header: Header, side: int) -> Frames:
    """Decode once, upright and no larger than `side`; everything else is made from this.

    Raises:
        ImageRejected: the photo is HEIC, and not what its header says.
        pyvips.Error: when libvips cannot decode it.
    """
    if header.frames > 1:
        return _animation(header, side)
    image = _heif(header, side) if header.format == "heif" else _thumbnail(header, side)
    return Frames(images=(as_shown(image.copy_memory()).copy_memory(),))


def _heif(header: Header, side: int) -> Any:  # noqa: ANN401 - pyvips has no types
    if not header.is_hevc:
        return within(pyvips.Image.heifload(str(header.source), fail_on="error"), side)
    # Its libraries take 20 ms to load, and most children never need them: they come with the first HEIC.
    from igloo_media.images.heic import decoded_heic  # noqa: PLC0415 - as said above

    return within(decoded_heic(header), side)


def _thumbnail(header: Header, side: int) -> Any:  # noqa: ANN401 - pyvips has no types
    return pyvips.Image.thumbnail(
        str(header.source),
        min(side, header.width),
        height=min(side, header.height),
        size="down",
        fail_on="error",
    )


def within(image: Any, side: int) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return the image no larger than `side` by `side`, in memory."""
    if max(image.width, image.height) <= side:
        return image
    return image.thumbnail_image(side, height=side, size="down", no_rotate=True).copy_memory()


def _animation(header: Header, side: int) -> Frames:
    """Go through the frames in their order: only their small copies are in memory together."""
    given = header.fields.get("delay") if header.fields.get_typeof("delay") else []
    padded = [*given, *[USUAL_DELAY] * header.frames][: header.frames]
    return Frames(
        images=tuple(as_shown(within(frame, side)) for frame in _whole_frames(header)),
        delays=tuple(delay if delay >= SHORTEST_DELAY else USUAL_DELAY for delay in padded),
        loop=header.fields.get("loop") if header.fields.get_typeof("loop") else 0,
    )


def _whole_frames(header: Header) -> Iterator[Any]:
    # A frame builds on those before it, and libvips decodes from the first again at each opening; all at once
    # would be 400 MB, so several are opened at a time: at most three times in all.
    width, height = header.fields.width, header.fields.height
    step = max(1, OPENED_PIXELS // (width * height))
    for start in range(0, header.frames, step):
        count = min(step, header.frames - start)
        strip = pyvips.Image.new_from_file(
            str(header.source), page=start, n=count, access="sequential", fail_on="error"
        )
        for n in range(count):
            yield strip.crop(0, n * height, width, height).copy_memory()
