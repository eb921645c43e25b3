"""Which tables are append-only, and the triggers that must stand so that they are."""

TABLES = ("entries", "consents", "audit_records", "corrections", "attempts", "returns")


def triggers(dialect: str) -> frozenset[str]:
    """The names of the triggers that `dialect` ("sqlite" or "postgresql") must have.

    PostgreSQL also refuses TRUNCATE, which SQLite does not have.
    """
    verbs = ["update", "delete"] + (["truncate"] if dialect == "postgresql" else [])
    return frozenset(f"{table}_no_{verb}" for table in TABLES for verb in verbs) | {
        "entries_reversal",
        "entries_place",
    }
