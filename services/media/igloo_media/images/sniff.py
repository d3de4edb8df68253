"""Which image format a file really is, told from its first bytes and never from its name."""

from pathlib import Path

from igloo_media.images.outcome import ImageRejected

# The file type box of HEIF and AVIF names the brands that a file is compatible with; a few dozen at most.
HEAD_BYTES = 1_024
ACCEPTED = "send JPEG, PNG, WebP, GIF, AVIF or HEIC."
SIGNATURES = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}
# The brands of ISO/IEC 23008-12 (HEIF) and of AVIF; mif1 and msf1 leave the codec to the header.
HEIF_BRANDS = {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevm", b"mif1", b"msf1"}
# What people send by mistake, by the beginning of the file, so that the refusal can say what it was.
REFUSED = {
    b"%PDF": "PDF documents are",
    b"II*\x00": "TIFF and raw photos are",
    b"MM\x00*": "TIFF and raw photos are",
    b"BM": "BMP images are",
    b"\xff\x0a": "JPEG XL photos are",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL photos are",
    b"8BPS": "Photoshop documents are",
    b"\x1a\x45\xdf\xa3": "Videos are",
}
REFUSED_TEXT = {b"<svg": "SVG drawings are", b"<html": "Web pages are", b"<!doctype html": "Web pages are"}


def sniff_format(path: Path) -> str:
    """Return `jpeg`, `png`, `webp`, `gif` or `heif`: the last is the container of HEIC and of AVIF.

    Raises:
        ImageRejected: with code `unsupported_format` for everything else.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for signature, name in SIGNATURES.items():
        if head.startswith(signature):
            return name
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if HEIF_BRANDS & _brands(head):
        return "heif"
    raise ImageRejected("unsupported_format", f"{_what(head)} not accepted; {ACCEPTED}")


def _brands(head: bytes) -> set[bytes]:
    """Return the major and the compatible brands of a file type box (ISO/IEC 14496-12, 4.3)."""
    if head[4:8] != b"ftyp":
        return set()
    box = head[: int.from_bytes(head[:4], "big")]
    return {box[8:12], *(box[start : start + 4] for start in range(16, len(box) - 3, 4))}


def _what(head: bytes) -> str:
    for signature, name in REFUSED.items():
        if head.startswith(signature):
            return name
    if head[4:8] == b"ftyp":
        return "Videos and raw photos are"
    text = head.lower()
    return next((name for word, name in REFUSED_TEXT.items() if word in text), "This kind of file is")
