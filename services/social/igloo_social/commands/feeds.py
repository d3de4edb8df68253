"""`flask feed …`: what an operator does to everybody's home feed."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_social.operations.feed_changes import expire_tokens

feed = AppGroup("feed", help="The home feeds.")


@feed.command("expire-changes")
def expire_changes() -> None:
    """Have every phone read its feed anew: after the database was brought back to an earlier time.

    Phones ask for changes since what they have seen. Of what they saw and the database does not know any
    more, nothing would tell them; so their tokens are answered 410 `changes_expired` once.
    """
    with transaction() as session:
        expire_tokens(session, now=utc_now())
    click.echo("every phone will read its feed anew")
