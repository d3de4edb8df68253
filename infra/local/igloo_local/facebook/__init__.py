"""A stand-in for Facebook, for development and tests: its endpoints, answers and errors, no real people."""
