"""What the media worker does by itself: processing, sweeping and collecting."""
