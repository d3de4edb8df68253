"""Push notifications: what phones are sent, and Amazon SNS, which sends it."""
