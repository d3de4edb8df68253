"""The reads of the auth service, a noun a file."""
