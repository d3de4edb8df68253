"""What a 12-megapixel photo costs in igloo, and what libvips alone costs for the same pixels."""

import resource
import tempfile
from pathlib import Path

import pyvips

from bench.sizes import decode_jpeg, unencoded, write
from igloo_local.phone import Phone, wait_until

WIDTH, HEIGHT = 4032, 3024


def twelve_megapixels(seed: int) -> bytes:
    """Return a JPEG with the detail of a real photo: noise over several scales, not a flat gradient."""
    image = pyvips.Image.gaussnoise(WIDTH, HEIGHT, mean=0, sigma=6, seed=seed)
    for scale in (4, 16, 64, 256):
        # One cell more on each side, for the size that the scale does not divide.
        cells = (WIDTH // scale + 1, HEIGHT // scale + 1)
        coarse = pyvips.Image.gaussnoise(*cells, mean=0, sigma=30, seed=seed + scale)
        image += coarse.resize(scale, kernel="cubic").crop(0, 0, WIDTH, HEIGHT)
    colours = image.bandjoin([image * 0.8 + 10, image * 0.6 + 20]) + 128
    photo: bytes = colours.cast("uchar").copy(interpretation="srgb").jpegsave_buffer(Q=90)
    return photo


def libvips_seconds(photos: list[bytes]) -> float:
    """Return CPU seconds a photo of decoding once and writing the three renditions, and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        before = _cpu_seconds()
        for photo in photos:
            for name, image in unencoded(decode_jpeg(photo)).items():
                write(image, str(Path(folder) / f"{name}.webp"), name)
        return (_cpu_seconds() - before) / len(photos)


def send(phone: Phone, photos: list[bytes]) -> list[str]:
    """Put the photos into S3 and complete none of them yet; return their upload ids."""
    files = [{"content_type": "image/jpeg", "size_bytes": len(photo)} for photo in photos]
    uploads = phone.call("POST", "/v1/uploads", json={"files": files})["data"]
    for upload, photo in zip(uploads, photos, strict=True):
        phone.send_to_s3(upload["target"], photo)
    return [upload["id"] for upload in uploads]


def complete_and_wait(phone: Phone, upload_ids: list[str]) -> None:
    """Complete the uploads and wait until all are ready."""
    for upload_id in upload_ids:
        phone.call("POST", f"/v1/uploads/{upload_id}/complete")
    wait_until(
        lambda: [phone.call("GET", f"/v1/media/{upload_id}")["state"] for upload_id in upload_ids],
        lambda states: all(state == "ready" for state in states),
        what="all photos ready",
        timeout_seconds=120,
        pause_seconds=1.0,
    )


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
