"""Whether this web process has been told to stop and serves on for a while."""

_under_way = False


def begin() -> None:
    """Say so from now on; takes no lock, since a signal handler calls it."""
    global _under_way  # noqa: PLW0603 -- a fact of the process, which a signal tells
    _under_way = True


def is_under_way() -> bool:
    """Tell whether nobody should send more requests here than those on their way."""
    return _under_way
