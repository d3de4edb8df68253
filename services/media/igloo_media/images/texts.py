"""What libvips says of a photo, in which it quotes the photo's own bytes."""

from typing import Any

import pyvips


def read_any_bytes() -> None:
    """Have pyvips read what libvips says whatever bytes are in it.

    It takes everything for UTF-8 (`_to_string` of pyvips 3.2) and else raises UnicodeDecodeError: from a
    message in the place of its own error, and from names of fields, which hold a PNG's keywords in Latin-1
    and the types of a HEIF's items. Photos that are fine would end the child over a name.
    """
    for module in (pyvips.error, pyvips.vimage, pyvips.gvalue):
        module._to_string = _read


def forget_messages() -> None:
    """Clear what was said so far: the next photo is not refused for the reasons of the one before."""
    pyvips.vips_lib.vips_error_clear()


def _read(text: Any) -> str:  # noqa: ANN401 - a pointer of cffi
    return "NULL" if text == pyvips.ffi.NULL else bytes(pyvips.ffi.string(text)).decode(errors="replace")
