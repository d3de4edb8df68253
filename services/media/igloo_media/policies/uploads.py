"""What may be uploaded, and how long an upload may take."""

from datetime import datetime, timedelta

MAX_FILES = 10
MAX_FILE_BYTES = 25_000_000
CONTENT_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")
TARGET_LIFETIME = timedelta(hours=1)
# A phone completes within seconds of its POST: what is silent for longer has probably lost its client.
FORGOTTEN_AFTER = timedelta(minutes=2)
SWEEP_AGAIN_AFTER = timedelta(minutes=5)
# S3 checks a policy's expiry when a POST begins; a slow phone may still be sending after it.
LATEST_ARRIVAL = timedelta(minutes=10)


def settled_at(expires_at: datetime) -> datetime:
    """Return the time after which nothing can arrive at an upload's target any more."""
    return expires_at + LATEST_ARRIVAL
