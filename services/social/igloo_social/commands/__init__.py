"""What an operator does by hand: the command lines of the social service, a noun a file."""
