"""Money by every door: what entries, notices, endpoints and listings need for it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# The same constraint before and after, as both databases spell it.
SIGN = "reverses IS NOT NULL OR (amount > 0) = (kind IN ('donation', 'match', 'payout'))"
SIGN_OR_FEE = f"kind = 'fee' OR {SIGN}"
VERDICTS = "waiting booked unmatched not_understood conflict returned failed".split()
LISTING = (
    "CONSTRAINT fk_entries_listing_id_listings FOREIGN KEY(listing_id) REFERENCES listings (id)"
)
PAIR = "CONSTRAINT fk_entries_listing_id_campaign_id_listings"


def upgrade() -> None:
    _add_columns()
    _create_tables()
    if op.get_bind().dialect.name == "sqlite":
        _rewrite("entries", SIGN, SIGN_OR_FEE)
        # The pair of listing and campaign holds it already.
        _rewrite("entries", LISTING + ", ", "")
        _rewrite("notices", _among(VERDICTS), _among([*VERDICTS, "nothing", "left"]))
        return
    _replace_check("entries", "sign", SIGN_OR_FEE)
    op.drop_constraint("fk_entries_listing_id_listings", "entries")
    _replace_check("notices", "verdict", _among([*VERDICTS, "nothing", "left"]))


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rewrite("entries", SIGN_OR_FEE, SIGN)
        _rewrite("entries", PAIR, f"{LISTING}, {PAIR}")
        _rewrite("notices", _among([*VERDICTS, "nothing", "left"]), _among(VERDICTS))
    else:
        _replace_check("entries", "sign", SIGN)
        op.create_foreign_key(
            "fk_entries_listing_id_listings", "entries", "listings", ["listing_id"], ["id"]
        )
        _replace_check("notices", "verdict", _among(VERDICTS))
    for table in ("merges", "explanations", "placements"):
        op.drop_table(table)
    for index in ("uq_entries_import_row", "uq_entries_replaces", "ix_entries_regards"):
        op.drop_index(index, "entries")
    for table, column in (
        ("entries", "import_id"),
        ("entries", "import_row"),
        ("entries", "replaces"),
        ("entries", "way"),
        ("listings", "tolerance"),
        ("listings", "tolerance_days"),
        ("webhook_endpoints", "settings"),
        ("webhook_endpoints", "refused"),
        ("webhook_endpoints", "refused_at"),
        ("webhook_endpoints", "refused_for"),
        ("webhook_secrets", "name"),
    ):
        op.drop_column(table, column)


def _among(verdicts: list[str]) -> str:
    return f"verdict IN ({', '.join(map(repr, verdicts))})"


def _rewrite(table: str, old: str, new: str) -> None:
    """Change a constraint in the stored text of a table (sqlite.org/lang_altertable.html, §7).

    SQLite cannot alter one otherwise but by building the table anew, which loses its triggers.
    What is stored in the table is not touched. Without the text to change this raises.
    """
    bind = op.get_bind()
    stored = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table"
    before = bind.scalar(sa.text(stored), {"table": table})
    plain = " ".join(before.split())
    if old not in plain:
        raise LookupError(f"The table {table} does not have the constraint {old}.")
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema=ON")
    changed = "UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :table"
    bind.execute(sa.text(changed), {"sql": plain.replace(old, new), "table": table})
    bind.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema=OFF")


def _replace_check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(f"ck_{table}_{name}", table)
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _add_columns() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("entries", sa.Column("import_id", big, nullable=True))
    op.add_column("entries", sa.Column("import_row", sa.Integer(), nullable=True))
    op.create_index(
        "uq_entries_import_row",
        "entries",
        ["import_id", "import_row"],
        unique=True,
        sqlite_where=sa.text("import_id IS NOT NULL AND reverses IS NULL"),
        postgresql_where=sa.text("import_id IS NOT NULL AND reverses IS NULL"),
    )
    # As one column's own, which SQLite can add to a table and drop again.
    whole = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE entries ADD COLUMN replaces {whole}"
        " CONSTRAINT fk_entries_replaces_entries REFERENCES entries (id)"
    )
    op.execute(
        "ALTER TABLE entries ADD COLUMN way VARCHAR(24)"
        " CONSTRAINT ck_entries_way CHECK (way IN ('cash', 'bank', 'other'))"
    )
    op.create_index(
        "uq_entries_replaces",
        "entries",
        ["replaces"],
        unique=True,
        sqlite_where=sa.text("replaces IS NOT NULL"),
        postgresql_where=sa.text("replaces IS NOT NULL"),
    )
    op.create_index(
        "ix_entries_regards",
        "entries",
        ["regards"],
        sqlite_where=sa.text("regards IS NOT NULL"),
        postgresql_where=sa.text("regards IS NOT NULL"),
    )
    for table, column in (
        ("listings", sa.Column("tolerance", sa.BigInteger(), nullable=True, server_default="0")),
        ("listings", sa.Column("tolerance_days", sa.Integer(), nullable=False, server_default="3")),
        (
            "webhook_endpoints",
            sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"),
        ),
        (
            "webhook_endpoints",
            sa.Column("refused", sa.Integer(), nullable=False, server_default="0"),
        ),
        ("webhook_endpoints", sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True)),
        ("webhook_endpoints", sa.Column("refused_for", sa.String(length=40), nullable=True)),
        (
            "webhook_secrets",
            sa.Column("name", sa.String(length=100), nullable=False, server_default="secret"),
        ),
    ):
        op.add_column(table, column)


def _create_tables() -> None:
    op.create_table(
        "placements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column(
            "by",
            sa.Enum(
                "order",
                "ref",
                name="placed_by",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listings.id"], name=op.f("fk_placements_listing_id_listings")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_placements_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placements")),
        sa.UniqueConstraint("source", "by", "text", name=op.f("uq_placements_source_by_text")),
    )
    op.create_index(op.f("ix_placements_listing_id"), "placements", ["listing_id"], unique=False)
    op.create_table(
        "explanations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("gap", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listings.id"], name=op.f("fk_explanations_listing_id_listings")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_explanations_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_explanations")),
    )
    op.create_index(
        "ix_explanations_listing_day", "explanations", ["listing_id", "day"], unique=False
    )
    _create_merges()


def _create_merges() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "merges",
        sa.Column("id", big, nullable=False),
        sa.Column("donor_id", big, nullable=False),
        sa.Column("into_id", big, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", big, nullable=True),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", big, nullable=True),
        sa.CheckConstraint("donor_id <> into_id", name=op.f("ck_merges_two")),
        sa.ForeignKeyConstraint(
            ["donor_id"], ["donors.id"], name=op.f("fk_merges_donor_id_donors")
        ),
        sa.ForeignKeyConstraint(["into_id"], ["donors.id"], name=op.f("fk_merges_into_id_donors")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_merges_staff_id_staff")),
        sa.ForeignKeyConstraint(
            ["undone_by"], ["staff.id"], name=op.f("fk_merges_undone_by_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merges")),
    )
    op.create_index(op.f("ix_merges_donor_id"), "merges", ["donor_id"], unique=False)
    op.create_index(op.f("ix_merges_into_id"), "merges", ["into_id"], unique=False)
