"""Tencent Charity (腾讯公益): a project's figure, in fen, from the JSON behind its page."""

import json
import re

from campaigns.money import BadMoney, Money
from campaigns.platforms import addresses, answers
from campaigns.platforms.base import N_, Answer, Ask, Reading, Recognised, Unreadable
from campaigns.platforms.fields import MISSING, Fields

LABEL = N_("Tencent Charity")
ORIGIN = "https://ssl.gongyi.qq.com"
CURRENCY = "CNY"
DATED = False

_PID = re.compile(r"[0-9]{1,12}", re.ASCII)


def recognise(url: str) -> Recognised | None:
    """A project's page: `…/succor/detail.htm?id=`, `…/m/weixin/detail.htm?pid=` and their kin."""
    address = addresses.split(url)
    if not address or not f".{address.host}".endswith(".gongyi.qq.com"):
        return None
    if not address.path.rpartition("/")[2].startswith("detail"):
        return None
    named = address.parameters
    pid = named.get("pid") or named.get("id") or named.get("project_no") or ""
    if not _PID.fullmatch(pid):
        return None
    return Recognised(pid, f"https://gongyi.qq.com/succor/detail.htm?id={pid}")


def ask(external_id: str, url: str, origin: str | None = None) -> Ask:
    return Ask(
        method="POST",
        url=f"{origin or ORIGIN}/gygw-app/ed/gdata.query/GetProjData",
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        body=json.dumps({"pid": external_id}).encode(),
    )


def read(answer: Answer) -> Reading:
    """An error comes as HTTP 200 with a `code` other than 0."""
    post = answers.json_of(answer)
    if code := post.needed(post.whole, "code"):
        raise Unreadable(N_("The platform answered with an error of its own"), code)
    data = post.needed(post.inner, "data")
    return Reading(
        raised=_fen(data, "sum_money"),
        moment=answer.asked_at,
        donations=data.count("sum_times"),
    )


def _fen(data: Fields, name: str) -> Money | None:
    if name not in data:
        data.refuse(name, MISSING)
    fen = data.whole(name)
    try:
        return None if fen is None else Money(fen, CURRENCY)
    except BadMoney as error:
        raise Unreadable(N_("An amount cannot be read"), f"{name}: {error}") from error
