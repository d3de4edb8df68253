"""What one application is wired with, kept on the Flask object for the rooms that need it."""

from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

from flask import Flask, current_app

from igloo_common.identity import TokenVerifier
from igloo_common.settings import CommonSettings

_EXTENSION: Final = "igloo"
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The parts of an application that are looked up while it serves."""

    settings: CommonSettings
    verifier: TokenVerifier
    cursor_key: bytes = field(repr=False)
    adapters: dict[type, object] = field(default_factory=dict)


def wire(app: Flask, wiring: Wiring) -> None:
    """Attach the parts to an application."""
    app.extensions[_EXTENSION] = wiring


def wiring_of(app: Flask) -> Wiring:
    """Return what an application is wired with."""
    return cast(Wiring, app.extensions[_EXTENSION])


def current_wiring() -> Wiring:
    """Return what the current application is wired with."""
    return cast(Wiring, current_app.extensions[_EXTENSION])


def provide(app: Flask, implementation: object, *, interface: type | None = None) -> None:
    """Give the views of an application an adapter, to be found by its type or the interface it fills."""
    wiring_of(app).adapters[interface or type(implementation)] = implementation


def provided(interface: type[T]) -> T:
    """Return the current application's adapter of this type."""
    try:
        return cast(T, current_wiring().adapters[interface])
    except KeyError:
        raise LookupError(f"create_app() provides no {interface.__name__}") from None
