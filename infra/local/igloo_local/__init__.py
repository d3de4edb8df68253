"""The embedded local stack: every real part of igloo on one machine, without Docker."""
