"""How Alembic reaches the database: through the app whose context Flask-Migrate pushed.

Whoever restores a backup hands in the connection to the database that it fills.
"""

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from campaigns.db import Base

engine = current_app.extensions["migrate"].db.engine


def run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    with engine.connect() as connection:
        migrate(connection)


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations run against a database, not into a file of SQL.")
run()
