"""The social service: who you know and what they post."""
