"""What a million entries at once cannot afford, held by cheaper means.

PostgreSQL looks up the parent of each row by itself, which took longer than to write the row. A
trigger looks once a statement whether its listings are those of its campaigns; neither these nor
entries are ever deleted.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEYS = "CONSTRAINT fk_entry_keys_entry_id_entries FOREIGN KEY(entry_id) REFERENCES entries (id)"
CAMPAIGN = (
    "CONSTRAINT fk_entries_campaign_id_campaigns FOREIGN KEY(campaign_id) REFERENCES campaigns (id)"
)
PAIR = (
    "CONSTRAINT fk_entries_listing_id_campaign_id_listings "
    "FOREIGN KEY(listing_id, campaign_id) REFERENCES listings (id, campaign_id)"
)
ENTRIES = "CONSTRAINT pk_entries PRIMARY KEY (id)"
NUMBERS = "CONSTRAINT pk_entry_keys PRIMARY KEY (source, scheme, value)"
STRANGE = "an entry belongs to a campaign, and to a listing of that campaign"
ELSEWHERE = """
    NOT EXISTS (SELECT 1 FROM campaigns WHERE campaigns.id = {new}.campaign_id)
    OR {new}.listing_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM listings
        WHERE listings.id = {new}.listing_id AND listings.campaign_id = {new}.campaign_id)
"""


def upgrade() -> None:
    op.drop_index("ix_entries_notice_id", "entries")
    only = sa.text("notice_id IS NOT NULL")
    op.create_index(
        "ix_entries_notice_id", "entries", ["notice_id"], sqlite_where=only, postgresql_where=only
    )
    if op.get_bind().dialect.name == "sqlite":
        _rewrite("entry_keys", f", {KEYS}", "")
        _rewrite("entries", f", {CAMPAIGN}", "")
        _rewrite("entries", f", {PAIR}", "")
        op.execute(
            f"CREATE TRIGGER entries_place BEFORE INSERT ON entries WHEN "
            f"{ELSEWHERE.format(new='NEW')} BEGIN SELECT RAISE(ABORT, '{STRANGE}'); END"
        )
        return
    op.drop_constraint("fk_entry_keys_entry_id_entries", "entry_keys")
    op.drop_constraint("fk_entries_campaign_id_campaigns", "entries")
    op.drop_constraint("fk_entries_listing_id_campaign_id_listings", "entries")
    op.execute(
        "CREATE FUNCTION refuse_strange_place() RETURNS trigger LANGUAGE plpgsql AS $$ "  # noqa: S608
        "BEGIN IF EXISTS (SELECT 1 FROM (SELECT DISTINCT campaign_id, listing_id FROM added) place "
        f"WHERE {ELSEWHERE.format(new='place')}) THEN RAISE EXCEPTION '{STRANGE}' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER entries_place AFTER INSERT ON entries REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_strange_place()"
    )


def downgrade() -> None:
    op.drop_index("ix_entries_notice_id", "entries")
    op.create_index("ix_entries_notice_id", "entries", ["notice_id"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER entries_place")
        _rewrite("entries", ENTRIES, f"{ENTRIES}, {CAMPAIGN}, {PAIR}")
        _rewrite("entry_keys", NUMBERS, f"{NUMBERS}, {KEYS}")
        return
    op.execute("DROP TRIGGER entries_place ON entries")
    op.execute("DROP FUNCTION refuse_strange_place()")
    op.create_foreign_key(
        "fk_entry_keys_entry_id_entries", "entry_keys", "entries", ["entry_id"], ["id"]
    )
    op.create_foreign_key(
        "fk_entries_campaign_id_campaigns", "entries", "campaigns", ["campaign_id"], ["id"]
    )
    op.create_foreign_key(
        "fk_entries_listing_id_campaign_id_listings",
        "entries",
        "listings",
        ["listing_id", "campaign_id"],
        ["id", "campaign_id"],
    )


def _rewrite(table: str, old: str, new: str) -> None:
    """Change a constraint in the stored text of a table, as 0009 does and says why."""
    bind = op.get_bind()
    stored = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table"
    plain = " ".join(bind.scalar(sa.text(stored), {"table": table}).split())
    if old not in plain:
        raise LookupError(f"The table {table} does not have the constraint {old}.")
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema=ON")
    changed = "UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :table"
    bind.execute(sa.text(changed), {"sql": plain.replace(old, new), "table": table})
    bind.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema=OFF")
