"""What an operator does by hand: the command lines of the auth service, a noun a file."""
