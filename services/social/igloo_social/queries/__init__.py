"""Reads, a noun a file: Core statements in, plain rows out."""
