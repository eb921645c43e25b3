"""What is shown of people to those who may not see who they are."""

import json
from typing import Any

HIDDEN = "•••"
# Where a notice's body says who gave.
_PERSONAL = frozenset({"donor", "message", "name", "email", "phone", "address"})


def name(text: str | None) -> str | None:
    """The first character: "张•••"."""
    return text[0] + HIDDEN if text else None


def address(text: str | None) -> str | None:
    """The first character and the domain: "a•••@example.org"."""
    if not text or "@" not in text:
        return None
    return f"{text[0]}{HIDDEN}@{text.rpartition('@')[2]}"


def body(content: bytes, *, in_full: bool) -> str:
    """A notice's body to read; without the right to see donors only JSON, with people hidden."""
    try:
        read = json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace") if in_full else HIDDEN
    return json.dumps(read if in_full else _hide(read), ensure_ascii=False, indent=2)


def _hide(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: HIDDEN if key.lower() in _PERSONAL and inner is not None else _hide(inner)
            for key, inner in value.items()
        }
    return [_hide(inner) for inner in value] if isinstance(value, list) else value
