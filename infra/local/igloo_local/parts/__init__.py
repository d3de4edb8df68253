"""One module for each program that the local stack starts; a test may start each alone."""
