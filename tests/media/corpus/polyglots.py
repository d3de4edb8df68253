"""Photos that are something else besides: what is not a pixel does not come out."""

from __future__ import annotations

import io
import zipfile

from media.corpus import gifs, jpegs, pictures, pngs, secrets, webps
from media.corpus.case import Case, Ready
from media.corpus.pictures import HEIGHT, WIDTH

PLAIN = Ready(width=WIDTH, height=HEIGHT)
HTML = b"<html><script>alert('" + secrets.WORDS + b"')</script></html>"
PHP = b"<?php echo '" + secrets.WORDS + b"'; __halt_compiler(); ?>"


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("Burrow.class"), secrets.WORDS)
    return buffer.getvalue()


def _gif_script() -> bytes:
    """Return a GIF that is a script as well: its width reads as the beginning of a comment."""
    width = int.from_bytes(b"/*", "little")
    frame = gifs.Frame(width=2, height=2)
    return gifs.animated(width, 1, frame, extra=gifs.comment(b"*/=1;alert('" + secrets.WORDS + b"')//"))


CASES = (
    Case("jpeg-and-zip", lambda: pictures.jpeg() + _zip(), PLAIN),
    Case("jpeg-and-html", lambda: pictures.jpeg() + HTML, PLAIN),
    Case(
        "jpeg-and-html-in-a-comment",
        lambda: jpegs.with_segments(pictures.jpeg(), jpegs.segment(jpegs.COMMENT, HTML)),
        PLAIN,
    ),
    Case(
        "jpeg-and-pdf",
        lambda: jpegs.with_segments(
            pictures.jpeg(), jpegs.segment(jpegs.COMMENT, b"%PDF-1.7\n" + secrets.WORDS)
        ),
        PLAIN,
    ),
    Case("gif-and-zip", lambda: pictures.gif() + _zip(), PLAIN),
    Case("gif-and-script", _gif_script, Ready(width=2, height=2, marked=False)),
    Case("png-and-zip", lambda: pictures.png() + _zip(), PLAIN),
    Case("png-and-php", lambda: pngs.with_chunks(pictures.png(), pngs.chunk(b"tEXt", b"x\0" + PHP)), PLAIN),
    Case(
        "png-and-php-in-a-chunk-of-its-own",
        lambda: pngs.with_chunks(pictures.png(), pngs.chunk(b"phPp", PHP)),
        PLAIN,
    ),
    Case("webp-and-html", lambda: pictures.webp() + HTML, PLAIN),
    Case(
        "webp-and-html-in-a-chunk",
        lambda: webps.assembled(webps.bitstream(pictures.webp()), webps.chunk(b"HTML", HTML)),
        PLAIN,
    ),
    Case("heic-and-html", lambda: pictures.heic() + HTML, PLAIN),
)
