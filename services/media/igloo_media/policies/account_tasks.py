"""How long a worker has a task about an account to itself, and when a failed one is tried again."""

from datetime import timedelta

# A worker stops by itself after UNIT_SECONDS; a call to S3 that hangs adds a quarter of a minute to that.
LEASE = timedelta(minutes=1)
UNIT_SECONDS = 20.0
LONGEST_PAUSE_SECONDS = 300.0
# For what ends soon by itself: a photo in process, another worker's turn.
WAIT = timedelta(seconds=1)
