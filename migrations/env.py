"""How Alembic reaches the database: through the app whose context Flask-Migrate pushed."""

from alembic import context
from flask import current_app

from campaigns.db import Base

engine = current_app.extensions["migrate"].db.engine


def run() -> None:
    with engine.connect() as connection:
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
