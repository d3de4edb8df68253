"""`flask accounts …`: look at an account, suspend or reinstate it, appoint moderators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final
from uuid import UUID

import click
import orjson
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from igloo_auth.operations.suspensions import reinstate_account, set_moderator, suspend_account
from igloo_auth.queries.accounts import AccountNotFound
from igloo_auth.queries.standings import standing_of
from igloo_auth.settings import Settings
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.web import provided

MAXIMUM_REASON_CHARACTERS: Final = 200

accounts = AppGroup("accounts", help="What operators decide about accounts.")
_account = click.argument("account_id", type=click.UUID)


def _printable(_: click.Context, __: click.Parameter, reason: str) -> str:
    """Take a reason that can be shown to the person as it is."""
    reason = reason.strip()
    if not reason or not reason.isprintable() or len(reason) > MAXIMUM_REASON_CHARACTERS:
        raise click.BadParameter(f"write 1 to {MAXIMUM_REASON_CHARACTERS} characters on one line")
    return reason


@accounts.command("show")
@_account
def show(account_id: UUID) -> None:
    """Show how an account stands, and nothing of the person."""
    with _naming_unknown(account_id), reading() as connection:
        standing = standing_of(connection, account_id=account_id, now=utc_now())
    click.echo(orjson.dumps(asdict(standing), option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2))


@accounts.command("suspend")
@_account
@click.option("--reason", required=True, callback=_printable, help="Told to the person who tries to sign in.")
def suspend(account_id: UUID, reason: str) -> None:
    """Sign a person out everywhere within seconds, and refuse to sign them in."""
    with _changing(account_id) as session:
        lifetimes = provided(Settings).lifetimes
        changed = suspend_account(
            session, account_id=account_id, reason=reason, lifetimes=lifetimes, now=utc_now()
        )
    _say(account_id, changed, "suspended")


@accounts.command("reinstate")
@_account
def reinstate(account_id: UUID) -> None:
    """Let a suspended person sign in again."""
    with _changing(account_id) as session:
        changed = reinstate_account(session, account_id=account_id, now=utc_now())
    _say(account_id, changed, "not suspended")


@accounts.command("appoint-moderator")
@_account
def appoint_moderator(account_id: UUID) -> None:
    """Give an account's tokens the scope moderator, from the next refresh on."""
    with _changing(account_id) as session:
        changed = set_moderator(session, account_id=account_id, is_moderator=True, now=utc_now())
    _say(account_id, changed, "a moderator's")


@accounts.command("dismiss-moderator")
@_account
def dismiss_moderator(account_id: UUID) -> None:
    """Take the scope moderator from an account's tokens, from the next refresh on."""
    with _changing(account_id) as session:
        changed = set_moderator(session, account_id=account_id, is_moderator=False, now=utc_now())
    _say(account_id, changed, "no moderator's")


@contextmanager
def _changing(account_id: UUID) -> Iterator[Session]:
    with _naming_unknown(account_id), transaction() as session:
        yield session


@contextmanager
def _naming_unknown(account_id: UUID) -> Iterator[None]:
    try:
        yield
    except AccountNotFound as error:
        raise click.ClickException(f"There is no account {account_id}, or it was deleted.") from error


def _say(account_id: UUID, changed: bool, what: str) -> None:
    click.echo(f"{account_id} is {'now' if changed else 'already'} {what}")
