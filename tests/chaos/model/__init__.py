"""The model of igloo that a fault run holds the healed stack against: people, their ledger, the checker."""
