"""docs/staff.md says of each role what the table MAY says."""

from pathlib import Path

from campaigns.model.staff import MAY, Permission, Role

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "staff.md"


def test_the_document_and_the_table_agree() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and not line.startswith("|--")
    ]
    roles = [Role(name) for name in rows[0][1:]]
    written = {
        Permission(name): {role for role, cell in zip(roles, cells, strict=True) if cell == "✓"}
        for name, *cells in rows[1:]
    }
    assert written == {
        permission: {role for role in Role if permission in MAY[role]} for permission in Permission
    }
