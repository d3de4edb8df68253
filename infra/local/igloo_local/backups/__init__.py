"""Backups of a local stack: taken while it runs, and restored into an empty folder."""
