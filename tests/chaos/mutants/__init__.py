"""What is wrong on purpose, so that the checker is seen to find it: mutants of the services, falsehoods."""
