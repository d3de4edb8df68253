"""What the tables of the media benches say of what was measured."""

from bench.batch_tables import Announcement, Batch, Bytes, as_markdown
from bench.equal_likeness import Trial
from bench.rendition_tables import as_markdown as of_renditions
from bench.sizes import EFFORT_TODAY, QUALITY_TODAY
from bench.timed_worker import Took


def test_encoders_are_compared_where_all_of_them_get() -> None:
    effort, quality = f"WebP effort {EFFORT_TODAY['full']}", QUALITY_TODAY["full"]
    trials = [
        trial(effort, quality, 200_000, 0.95),
        trial(effort, 95, 400_000, 0.985),
        trial("JPEG plain", 50, 300_000, 0.93),
        trial("JPEG plain", 90, 500_000, 0.97),
    ]

    table = of_renditions(trials)

    assert f"| full 2048 | {effort} | {quality} | sky | 200.0 | 10.0 | 0.9500 | 0.0250 |" in table
    assert "as today (1 pictures)" in table
    assert f"| {effort} | {quality}, 200.0, 10.0 | - | {quality}, 200.0, 10.0 | - |" in table
    assert "SSIM 0.98 (0 pictures)" in table


def test_a_batch_is_told_by_the_photo() -> None:
    batch = Batch(
        way="straight to S3",
        photos=10,
        steps={"sending": 1.5, "waiting": 2.0},
        worker=[Took(part="download", seconds=0.2, cpu_seconds=0.1)] * 10,
        announcements=[Announcement(published=0.01, applied=0.03)] * 10,
        cpu_seconds={"media-worker": 2.5, "s3": 0.5},
        bytes=Bytes(
            uploaded=27_000_000,
            web_received=9_000,
            web_sent=8_000,
            web_read=7,
            web_written=6,
            s3_received=27_100_000,
        ),
    )

    table = as_markdown([batch])

    assert "| straight to S3 | tap to ready, 10 photos | 3500 |" in table
    assert "| straight to S3 | download | 200.0 | 100.0 |" in table
    assert "| all | 300.0 |" in table
    assert "| the photos | 27,000,000 |" in table


def trial(encoder: str, quality: int, size_bytes: int, ssim: float) -> Trial:
    return Trial(
        picture="sky",
        size="full",
        encoder=encoder,
        quality=quality,
        size_bytes=size_bytes,
        cpu_ms=10.0,
        ssim=ssim,
    )
