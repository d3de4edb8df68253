"""Who may do or see what, a noun a file: pure functions."""
