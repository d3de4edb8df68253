"""`flask keys …`: look at the keys that sign access tokens, and change them without anybody noticing."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import click
from flask.cli import AppGroup

from igloo_auth.tokens.key_changes import KeyChange, KeyChangeRefused, retired, revoked, rotated
from igloo_auth.tokens.key_documents import (
    KeyDocument,
    SigningKey,
    UnreadableKeys,
    new_key,
    read_document,
    write_document,
)
from igloo_auth.tokens.key_rings import CLOCK_SKEW_SECONDS, KeyRing
from igloo_auth.tokens.key_stores import KeysChanged, KeysMissing, KeyStore, KeyStoreProblem
from igloo_auth.tokens.signing_keys import KEY_SET_SECONDS, SigningKeys
from igloo_common.web import provided

# A key's id may begin with a hyphen.
_IDS: Final = {"ignore_unknown_options": True}

keys = AppGroup("keys", help="The keys that sign access tokens. No command ever shows a private one.")


@keys.command("list")
def list_keys() -> None:
    """Show each key, its state (next, current, retiring, retired), and its times in UTC."""
    ring, _ = _read()
    _show(ring, _now())


@keys.command("generate")
def generate() -> None:
    """Make the first key, where there is none yet.

    In AWS the secret is made as well, unless it is there and empty.
    """
    store = provided(SigningKeys).store
    first = KeyDocument(keys=(new_key(signs_from=0),))
    try:
        store.write(write_document(first), replacing=None)
    except KeysChanged:
        raise click.ClickException("There are keys already. `flask keys rotate` adds one.") from None
    except KeyStoreProblem as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(f"Made the first key, {first.keys[0].kid}. Start the service now.")


@keys.command("rotate")
@click.option(
    "--after",
    type=click.IntRange(min=0),
    metavar="SECONDS",
    help="When the new key begins to sign; by default once every verifier must have it.",
)
@click.option("--force", is_flag=True, help="Add a key although another waits for its time.")
def rotate(*, after: int | None, force: bool) -> None:
    """Publish a new key now and sign with it later; drop the keys that are over."""
    safe = _publishing_seconds(provided(SigningKeys).store)
    if after is not None and after < safe:
        click.echo(f"Before {safe} s have passed, a verifier may have to look for the new key.", err=True)
    now = _now()

    def change(ring: KeyRing) -> KeyChange:
        signs_from = now + (safe if after is None else after)
        return rotated(ring, now=now, signs_from=signs_from, although_pending=force)

    made, ring = _changed(change, hint="Wait for it, revoke it, or add another with --force.")
    for key in made.dropped:
        click.echo(f"Dropped {key.kid}, which was over.")
    if made.added is not None:
        _tell_times(ring, made.added, now)


@keys.command("retire", context_settings=_IDS)
@click.argument("kids", nargs=-1, metavar="[KID]...")
def retire(kids: tuple[str, ...]) -> None:
    """Drop keys that are over: these, or all of them. One with live tokens is refused."""
    now = _now()
    made, _ = _changed(
        lambda ring: retired(ring, kids, now=now), hint="`flask keys revoke` withdraws a key all the same."
    )
    for key in made.dropped:
        click.echo(f"Dropped {key.kid}.")
    if not made.dropped:
        click.echo("No key is over.")


@keys.command("revoke", context_settings=_IDS)
@click.argument("kids", nargs=-1, required=True, metavar="KID...")
def revoke(kids: tuple[str, ...]) -> None:
    """Withdraw keys that others have seen, and sign with a new one at once."""
    store, now = provided(SigningKeys).store, _now()
    made, ring = _changed(lambda ring: revoked(ring, kids, now=now), hint="`flask keys list` shows them.")
    for key in made.dropped:
        click.echo(f"Withdrew {key.kid}.")
    words = "signs from now on" if made.added is not None else "goes on signing"
    click.echo(f"{ring.signer(now).kid} {words}.")
    reread = int(store.reread_seconds)
    click.echo(
        f"The processes of auth follow within {reread} s. A verifier refuses tokens of a withdrawn key once"
        f" it fetches the key set again, {reread + KEY_SET_SECONDS} s from now at most. Phones then refresh"
        " by themselves; nobody has to sign in again."
    )


def _changed(change: Callable[[KeyRing], KeyChange], *, hint: str) -> tuple[KeyChange, KeyRing]:
    """Read, change and write the document; return what changed, and the keys as they are now."""
    keys = provided(SigningKeys)
    ring, version = _read()
    try:
        made = change(ring)
        if made.added is not None or made.dropped:
            keys.store.write(write_document(made.document), replacing=version)
    except KeyChangeRefused as refusal:
        raise click.ClickException(f"Nothing was changed: {refusal}. {hint}") from None
    except KeysChanged as problem:
        raise click.ClickException(f"Nothing was changed: {problem}. See `flask keys list`.") from None
    except KeyStoreProblem as problem:
        raise click.ClickException(str(problem)) from None
    return made, KeyRing(made.document, token_seconds=keys.token_seconds)


def _read() -> tuple[KeyRing, str]:
    keys = provided(SigningKeys)
    try:
        stored = keys.store.read()
        return KeyRing(read_document(stored.content), token_seconds=keys.token_seconds), stored.version
    except KeysMissing as problem:
        raise click.ClickException(f"{problem}. `flask keys generate` makes the first key.") from None
    except KeyStoreProblem as problem:
        raise click.ClickException(str(problem)) from None
    except UnreadableKeys as problem:
        raise click.ClickException(f"{keys.store.setting} holds {problem}.") from None


def _publishing_seconds(store: KeyStore) -> int:
    """Return after how long every verifier has a new key.

    Every process of auth has read it, each cached key set has run out since, and clocks differ.
    """
    return int(store.reread_seconds) + KEY_SET_SECONDS + CLOCK_SKEW_SECONDS


def _tell_times(ring: KeyRing, added: SigningKey, now: int) -> None:
    starts = added.signs_from or now
    old = ring.signer(starts - 1)
    click.echo(
        f"{_utc(now)}  {added.kid} is published" + (", and signs nothing yet." if starts > now else ".")
    )
    click.echo(f"{_utc(starts)}  It signs, and {old.kid} does not any more.")
    click.echo(f"{_utc(ring.retires_at(old.kid))}  {old.kid} is over; the next rotation drops it.")


def _show(ring: KeyRing, now: int) -> None:
    click.echo(_line("kid", "state", "signs from", "retires at"))
    for key in ring.document.keys:
        click.echo(_line(key.kid, ring.state(key, now), _signs_from(key), _retires_at(ring, key)))


def _line(*columns: str) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(columns, (43, 8, 23, 0), strict=True)).rstrip()


def _signs_from(key: SigningKey) -> str:
    if key.signs_from is None:
        return "never again"
    return "the beginning" if key.signs_from == 0 else _utc(key.signs_from)


def _retires_at(ring: KeyRing, key: SigningKey) -> str:
    at = ring.retires_at(key.kid)
    return "-" if at == float("inf") else _utc(at)


def _utc(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _now() -> int:
    return int(time.time())
