"""Kills parts of the stack under load, lets it heal, and checks that nothing acknowledged was lost."""
