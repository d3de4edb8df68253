"""What the local stack reads from the environment: the only reader of it in this package."""

import os

# Settings of services come from the stack alone; a stray one in the shell must not reach just one of them.
_OWN_PREFIXES = (
    "IGLOO_",
    "FACEBOOK_",
    "SECRET_KEY",
    "RABBITMQ_",
    "ERL_",
    "PG",
    "FLASK_",
    "GUNICORN_",
    "AWS_",
)


def inherited_environment() -> dict[str, str]:
    """Return the environment of every child: the shell's, without what configures igloo or its parts."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OWN_PREFIXES)}
