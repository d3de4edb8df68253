"""A flag that a signal handler may raise."""


class Flag:
    """Raised once and looked at often.

    `threading.Event` takes a lock to be set: a handler that interrupts its own thread inside that lock would
    wait for ever.
    """

    def __init__(self) -> None:
        self._raised = False

    def set(self) -> None:
        """Raise the flag."""
        self._raised = True

    def is_set(self) -> bool:
        """Tell whether the flag has been raised."""
        return self._raised
