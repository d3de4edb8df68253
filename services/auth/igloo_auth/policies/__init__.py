"""Who may do what, and what is kept about whom: pure decisions, a noun a file."""
