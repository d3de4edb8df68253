"""Measures what a request costs, in CPU time over every server-side process, on the real stack."""
