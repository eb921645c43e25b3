"""Triggers: what is append-only stays so, and a reversal mirrors what it reverses."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("entries", "consents", "audit_records", "corrections", "attempts")

# NULL-safe comparison is spelt differently: IS on SQLite, IS NOT DISTINCT FROM on PostgreSQL.
MIRRORED = """
    SELECT 1 FROM entries AS original
    WHERE original.id = NEW.reverses AND original.reverses IS NULL
      AND original.kind = NEW.kind AND original.amount = -NEW.amount
      AND original.currency = NEW.currency AND original.donations = -NEW.donations
      AND original.campaign_id = NEW.campaign_id
      AND original.listing_id {same} NEW.listing_id
      AND original.stage {same} NEW.stage
"""
NOT_A_MIRROR = "a reversal has the kind, listing and currency of its entry and the opposite amount"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _upgrade_sqlite()
    else:
        _upgrade_postgresql()


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name != "sqlite"
    for name, table in _names():
        op.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if postgresql else ""))
    if postgresql:
        for table in TABLES:
            op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
        op.execute("DROP FUNCTION refuse_change()")
        op.execute("DROP FUNCTION refuse_crooked_reversal()")


def _names() -> list[tuple[str, str]]:
    names = [(f"{table}_no_{verb}", table) for table in TABLES for verb in ("update", "delete")]
    return [*names, ("entries_reversal", "entries")]


def _upgrade_sqlite() -> None:
    for table in TABLES:
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    op.execute(
        "CREATE TRIGGER entries_reversal BEFORE INSERT ON entries "
        f"WHEN NEW.reverses IS NOT NULL AND NOT EXISTS ({MIRRORED.format(same='IS')}) "
        f"BEGIN SELECT RAISE(ABORT, '{NOT_A_MIRROR}'); END"
    )


def _upgrade_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE FUNCTION refuse_crooked_reversal() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF NOT EXISTS ({MIRRORED.format(same='IS NOT DISTINCT FROM')}) THEN "
        f"RAISE EXCEPTION '{NOT_A_MIRROR}' USING ERRCODE = 'integrity_constraint_violation'; "
        "END IF; RETURN NEW; END $$"
    )
    for table in TABLES:
        for verb in ("update", "delete", "truncate"):
            each = "STATEMENT" if verb == "truncate" else "ROW"
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
            )
    op.execute(
        "CREATE TRIGGER entries_reversal BEFORE INSERT ON entries FOR EACH ROW "
        "WHEN (NEW.reverses IS NOT NULL) EXECUTE FUNCTION refuse_crooked_reversal()"
    )
