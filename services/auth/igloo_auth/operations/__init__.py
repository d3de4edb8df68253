"""The writes of the auth service: its use cases and the facts that stop them, a noun a file."""
