"""Placing: which listing a payment is for, by what came back with it or by its order number."""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qs, unquote

from campaigns.platforms.base import LONGEST_ID, N_, BadKeys
from campaigns.platforms.scheme import Setting

ORDER_PREFIX = Setting(
    "order_prefix",
    N_("Order numbers begin with"),
    N_(
        "Leave it empty if every payment is for this endpoint. Else PREFIX, or PREFIX=REF where REF"
        " is a listing's id or a campaign's slug; several with commas between them."
    ),
    needed=False,
)
_PREFIX = re.compile(r"[!-+\--<>-~]{1,64}", re.ASCII)  # visible, without comma and equals sign
_REF = re.compile(rf"[^\s,=]{{1,{LONGEST_ID}}}")
# A slug, or an id of a listing. Anything else that a merchant sends along is none of our business.
_TOKEN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,199}", re.ASCII)


class Place(NamedTuple):
    """What names the listing, if anything does; `elsewhere` if the order is none of ours.

    `passed` comes first where something of ours goes by that name; else it was not meant for us.
    """

    passed: str | None
    ref: str | None
    elsewhere: bool = False


def place(passed: str | None, order: str, prefixes: str) -> Place:
    """Where a payment belongs that came with `passed` (passback_params, attach), of this order.

    By its order it belongs to the longest prefix that fits; one without a REF is for the
    endpoint's own listing. Where there are prefixes and none fits, the money is for somebody else.
    """
    refs, name = read_prefixes(prefixes), named(passed or "")
    fitting = [prefix for prefix in refs if order.startswith(prefix)]
    if refs and not fitting:
        return Place(name, None, elsewhere=True)
    return Place(name, refs[max(fitting, key=len)] if fitting else None)


def named(passed: str) -> str | None:
    """The campaign or listing that a passed text names, in one of the ways in which it can.

    A slug or id alone; `campaign=` or `listing=` among other parameters; `{"campaign": …}`. Each
    also percent-encoded as a whole, as Alipay demands of merchants and gives back.
    """
    text = passed.strip()
    if not any(sign in text for sign in "={"):
        text = unquote(text).strip()
    if text.startswith("{"):
        return _in_json(text)
    if "=" in text:
        found = parse_qs(text) if text.count("&") < 100 else {}
        return _first({name: values[0] for name, values in found.items()})
    return text if _TOKEN.fullmatch(text) else None


def read_prefixes(text: str) -> dict[str, str | None]:
    """Each prefix of the setting `order_prefix`, and its REF. Raises `BadKeys`."""
    refs: dict[str, str | None] = {}
    for part in filter(None, (part.strip() for part in text.replace("，", ",").split(","))):
        prefix, equals, ref = (piece.strip() for piece in part.partition("="))
        if not _PREFIX.fullmatch(prefix) or (equals and not _REF.fullmatch(ref)):
            raise BadKeys(
                ORDER_PREFIX.name, N_("Write PREFIX or PREFIX=REF, several with commas between.")
            )
        if prefix in refs:
            raise BadKeys(ORDER_PREFIX.name, N_("The same prefix stands in it twice."))
        refs[prefix] = ref or None
    return refs


def _in_json(text: str) -> str | None:
    try:
        found = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    return _first(found)


def _first(found: Mapping[str, object]) -> str | None:
    """What it says of a listing, else of a campaign."""
    for name in ("listing", "campaign"):
        value = found.get(name)
        if isinstance(value, str) and value.strip():
            # A stray character must neither upset the database nor make it name nothing at all.
            shown = (c if c.isprintable() else "\ufffd" for c in value.strip()[:LONGEST_ID])
            return "".join(shown)
    return None
