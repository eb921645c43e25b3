"""Any other page: a figure read as staff said for this one listing, in the browser (generic_how).

`generic` is also what the export of a table that nobody knows is called; that half of it stands
in `generic`.
"""

import json
from collections.abc import Mapping
from itertools import islice

from campaigns.platforms import addresses, amounts, answers, charsets, fields, pointer, selecting
from campaigns.platforms.amounts import Found
from campaigns.platforms.base import N_, Answer, Ask, Reading, Recognised, Unreadable
from campaigns.platforms.fields import Number
from campaigns.platforms.generic_how import JSON, PAGE, How
from campaigns.platforms.misread import Misread
from campaigns.platforms.platform import Way

LABEL = N_("Another platform")
ORIGIN = None  # every listing has a server of its own
CURRENCY = None  # the listing says
DATED = False
WAYS = (Way(PAGE, N_("A web page")), Way(JSON, N_("A JSON file or interface")))

_ACCEPT = {PAGE: "text/html, */*;q=0.1", JSON: "application/json, */*;q=0.1"}
_MOST_SHOWN = 3  # of several different figures
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
    """Only the figure: `find` says what it is. A figure that JSON states as null is None."""
    found = find(answer, way or PAGE, How.told(how, way or PAGE))
    return Reading(raised=found.raised if found else None, moment=answer.asked_at)


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
    return among([amounts.plain(_whole(value))], how)


def among(texts: list[str], how: How) -> Found:
    """The only figure in these texts, as `amounts.plain` makes them. Raises `Misread`.

    Which figures there are, if several, is told, so that a label can part them.
    """
    found = {one.raised: one for text in texts for one in amounts.find(text, how.shape)}
    if len(found) > 1:
        several = ", ".join(one.shown for one in islice(found.values(), _MOST_SHOWN))
        raise Misread(N_("Several different numbers fit"), several, setting="before")
    if found:
        return next(iter(found.values()))
    for setting, text in (("before", how.before), ("after", how.after)):
        wanted = amounts.plain(text).strip()
        if wanted and not any(wanted in one for one in texts):
            raise Misread(N_("This text is not there"), wanted, setting=setting)
    shown = " … ".join(text.strip()[:60] for text in texts)
    raise Misread(N_("No number stands there"), shown, setting="before" if how.before else "place")


def _on_page(page: str, how: How) -> Found:
    texts = selecting.texts(page, how.place, how.attribute)
    found = among([amounts.plain(text) for text in texts], how)
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
