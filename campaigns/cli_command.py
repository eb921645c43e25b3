"""What every command shares: how it fails, and how it finds a listing."""

from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from campaigns.db import db
from campaigns.model.listing import Listing

LARGEST_ID = 2**63 - 1


class Command(click.Command):
    """A command whose every error, also one of use or of the database, is one sentence and 1."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise click.ClickException(error.format_message()) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DBAPIError as error:
            db.session.rollback()
            raise click.ClickException(
                f"The database did not do it ({type(error).__name__}); `doctor` says more."
            ) from error


def listing(listing_id: int) -> Listing:
    found = db.session.get(Listing, listing_id)
    if found is None:
        raise click.ClickException(f"There is no listing {listing_id}.")
    return found
