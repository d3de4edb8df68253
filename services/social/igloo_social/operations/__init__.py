"""Writes, a noun a file: the use cases and the exceptions that they raise. None of them commits."""
