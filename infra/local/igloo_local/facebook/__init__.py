"""A stand-in for Facebook, for development and tests: its endpoints, answers and errors, and no real people."""
