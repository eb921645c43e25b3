"""Any other page: a figure read as staff said for this one listing, in the browser (generic_how).

`generic` is also what the export of a table that nobody knows is called; that half of it stands
in `generic`.
"""

import json
from collections.abc import Mapping

from campaigns.platforms import (
    addresses,
    amounts,
    answers,
    charsets,
    fields,
    generic_also,
    pointer,
    selecting,
)
from campaigns.platforms.amounts import Found
from campaigns.platforms.base import N_, Answer, Ask, Reading, Recognised, Unreadable
from campaigns.platforms.fields import Number
from campaigns.platforms.generic_also import Also
from campaigns.platforms.generic_how import ALSO, JSON, PAGE, How
from campaigns.platforms.misread import Misread
from campaigns.platforms.platform import Way

LABEL = N_("Another platform")
ORIGIN = None  # every listing has a server of its own
CURRENCY = None  # the listing says
DATED = False
WAYS = (Way(PAGE, N_("A web page")), Way(JSON, N_("A JSON file or interface")))

_ACCEPT = {PAGE: "text/html, */*;q=0.1", JSON: "application/json, */*;q=0.1"}
_NEIGHBOURS = 4  # members told of on either side of the figure


def recognise(url: str) -> Recognised | None:
    """Never: no address says by itself where its figure stands."""
    return None


def ask(
    external_id: str, url: str, origin: str | None = None, way: str | None = None,
    how: Mapping[str, object] | None = None,
) -> Ask:  # fmt: skip
    """Where to ask stands in `how`; a stand-in's `origin` takes the place of its server."""
    told = How.told(how, way or PAGE)
    address = addresses.split(told.address, len(told.address))
    asked = origin + address.target if origin and address else told.address
    return Ask(asked, headers={"Accept": _ACCEPT.get(way or PAGE, "*/*")})


def read(
    answer: Answer, way: str | None = None, how: Mapping[str, object] | None = None
) -> Reading:
    """A figure that JSON states as null is None. It is true when asked for, or when it says."""
    settings = How.told(how, way or PAGE)
    found, other = find(answer, way or PAGE, settings), also(answer, way or PAGE, settings)
    return Reading(
        raised=found.raised if found else None,
        moment=other.as_of or answer.asked_at,
        target=other.target,
        donations=other.donations,
        donors=other.donors,
    )


def find(answer: Answer, way: str, how: How) -> Found | None:
    """The figure in its surroundings; None where JSON says null.

    Raises `Misread` for what was not found, and the other errors that a status or a look mean.
    """
    text = charsets.decoded(answers.body_of(answer), answer.headers)[0]
    if way == JSON:
        return in_document(document(text), how)
    try:
        return _on_page(text, how)
    except Misread:
        answers.refuse_robot_check(text)
        raise


def also(answer: Answer, way: str, how: How) -> Also:
    """What else was said to be read. Raises `Misread` for what was not found."""
    if not any(how.where(name).said for name in ALSO):
        return Also()
    text = charsets.decoded(answers.body_of(answer), answer.headers)[0]
    told = document(text) if way == JSON else None

    def look(place: str) -> list[str] | None:
        if way == JSON:
            return _leaf(pointer.resolve(told, place)[0], place)
        return [amounts.plain(one) for one in selecting.texts(text, place)]

    return generic_also.of(answer, look, how)


def document(text: str) -> object:
    """The JSON value that an answer holds, bare or in a call. Raises what it is instead."""
    bare = answers.without_call(text.encode("utf-8", "replace"))
    if bare.lstrip().startswith(b"<"):
        answers.refuse_robot_check(text)
        raise Unreadable(N_("The answer is a page where we expected JSON."))
    return fields.loads(bare, Unreadable)


def in_document(told: object, how: How) -> Found | None:
    """The figure in a JSON value; None for null. Raises `Misread`."""
    value, around = pointer.resolve(told, how.place)
    if value is None:
        return None
    if isinstance(value, Number):
        raised = amounts.of_number(value, how.shape)
        left, right = _neighbours(around, how.place)
        return Found(left, str(value), right, raised)
    if not isinstance(value, str):
        raise Misread(N_("What stands there is neither a number nor a text"), how.place)
    return amounts.only([amounts.plain(_whole(value))], how.shape)


def _leaf(value: object, place: str) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, Number | str):
        raise Misread(N_("What stands there is neither a number nor a text"), place)
    return [value if isinstance(value, Number) else amounts.plain(_whole(value))]


def _on_page(page: str, how: How) -> Found:
    texts = selecting.texts(page, how.place, how.attribute)
    found = amounts.only([amounts.plain(text) for text in texts], how.shape)
    lower = page.lower()
    ended = next((end for tag, end in (("<html", "</html>"), ("<body", "</body>")) if tag in lower),
                 ">")  # fmt: skip
    if ended not in lower if ended != ">" else not page.rstrip().endswith(">"):
        raise Unreadable(N_("The page ends in the middle."))
    return found


def _neighbours(around: object, place: str) -> tuple[str, str]:
    """What stands beside a member of an object or list, as JSON has it."""
    name = place.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    if isinstance(around, Mapping):
        told = [(f"{json.dumps(str(key)[:40], ensure_ascii=False)}: ", one)
                for key, one in around.items()]  # fmt: skip
        at = list(around).index(name)
    else:
        told, at = [("", one) for one in (around if isinstance(around, list) else [])], int(name)
    before = [label + _brief(one) for label, one in told[max(0, at - _NEIGHBOURS) : at]]
    behind = [label + _brief(one) for label, one in told[at + 1 : at + 1 + _NEIGHBOURS]]
    left = ", ".join([*before, told[at][0]])
    return _whole(left), _whole("".join(f", {one}" for one in behind))


def _whole(text: str) -> str:
    """JSON can hold half a character, which nothing that shows or keeps text can."""
    return text.encode("utf-8", "replace").decode()


def _brief(value: object) -> str:
    if isinstance(value, Number):
        return str(value)[:40]
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    return json.dumps(value[:40] if isinstance(value, str) else value, ensure_ascii=False)
