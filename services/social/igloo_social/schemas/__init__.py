"""The shapes that travel over HTTP, a noun a file."""
