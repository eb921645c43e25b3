"""Imports of contacts, with the basis on which people are written to."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "contact_imports",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("file_id", ID),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.String(200), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("how", sa.String(500), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("staff_id", ID),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT),
        sa.CheckConstraint(
            "how <> '' AND words <> '' AND asked_by <> ''", name="ck_contact_imports_basis"
        ),
        sa.CheckConstraint(
            "(state = 'review') = (settled_at IS NULL)", name="ck_contact_imports_settled"
        ),
        sa.CheckConstraint(
            "state IN ('review', 'committed', 'discarded')",
            name="ck_contact_imports_contact_import_state",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name="fk_contact_imports_file_id_files"),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name="fk_contact_imports_staff_id_staff"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_contact_imports"),
    )
    op.create_index("ix_contact_imports_file_id", "contact_imports", ["file_id"])


def downgrade() -> None:
    op.drop_table("contact_imports")
