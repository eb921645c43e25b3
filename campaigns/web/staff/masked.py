"""What is shown of people to those who may not see who they are."""

import json
from collections.abc import Mapping
from typing import Any

from campaigns.platforms.fields import Number

HIDDEN = "•••"
# Where a notice's body says who gave.
_PERSONAL = frozenset(
    "donor message name email phone address payer openid user_received_account attach"
    " passback_params buyer_id buyer_logon_id buyer_open_id".split()
)


def name(text: str | None) -> str | None:
    """The first character: "张•••"."""
    return text[0] + HIDDEN if text else None


def address(text: str | None) -> str | None:
    """The first character and the domain: "a•••@example.org"."""
    if not text or "@" not in text:
        return None
    return f"{text[0]}{HIDDEN}@{text.rpartition('@')[2]}"


def told(read: Mapping[str, object], *, in_full: bool) -> str:
    """A notice in the clear, to read; without the right to see donors people are hidden."""
    plain = _plain(dict(read))
    return json.dumps(plain if in_full else _hide(plain), ensure_ascii=False, indent=2)


def raw(content: bytes, *, in_full: bool) -> str:
    """The bytes of a notice that could not be read."""
    return content.decode("utf-8", "replace") if in_full else HIDDEN


def _plain(value: Any) -> Any:
    """Numbers are told apart from texts again where they are whole."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    short = isinstance(value, Number) and len(value) < 20
    return int(value) if short and value.removeprefix("-").isdecimal() else value


def _hide(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: HIDDEN if key.lower() in _PERSONAL and inner is not None else _hide(inner)
            for key, inner in value.items()
        }
    return [_hide(inner) for inner in value] if isinstance(value, list) else value
