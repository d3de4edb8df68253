"""Which image format a file really is, told from its first bytes and never from its name."""

from pathlib import Path

from igloo_media.images.outcome import ImageRejected

HEAD_BYTES = 32
ISO_MEDIA_BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF"}


def sniff_format(path: Path) -> str:
    """Return `jpeg`, `png`, `webp` or `gif`.

    Raises:
        ImageRejected: with code `unsupported_format` for everything else.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    raise ImageRejected("unsupported_format", _refusal(head))


def _refusal(head: bytes) -> str:
    brand = ISO_MEDIA_BRANDS.get(head[8:12]) if head[4:8] == b"ftyp" else None
    found = f"{brand} photos are" if brand else "This kind of file is"
    return f"{found} not accepted; send JPEG, PNG, WebP or GIF."
