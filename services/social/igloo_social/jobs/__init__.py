"""What the social worker does by itself: on schedule, and in lanes of longer work."""
