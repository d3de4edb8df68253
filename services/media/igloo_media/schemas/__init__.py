"""The shapes of requests and replies, a noun a file."""
