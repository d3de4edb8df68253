"""The HTTP shapes of the auth service, a noun a file."""
