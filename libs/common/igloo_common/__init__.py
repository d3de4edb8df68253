"""What the three services have in common; it knows no domain word and imports no service."""
