"""Tencent Charity (腾讯公益): a project's figure from the JSON behind its page.

There are three places to ask. All of them are plumbing of the site that may go any day, so a
listing names the one it is asked by (docs/platforms.md); none is tried when another refuses.
"""

import json
import re
from collections.abc import Mapping
from urllib.parse import unquote

from campaigns.money import BadMoney, Money
from campaigns.platforms import addresses, answers
from campaigns.platforms.base import N_, Answer, Ask, Reading, Recognised, Unreadable
from campaigns.platforms.fields import MISSING, Fields
from campaigns.platforms.platform import Way

LABEL = N_("Tencent Charity")
ORIGIN = "https://ssl.gongyi.qq.com"
CURRENCY = "CNY"
DATED = False
WAYS = (
    Way("current", N_("What the project's page asks today (GetProjData)")),
    Way("query", N_("What the page asked until 2023 (ProjInfoQuery)")),
    Way("detail", N_("The project's file on Tencent's file server (data_detail)")),
)

_FILES = "https://scdn.gongyi.qq.com"
_JSON = {"Accept": "application/json"}
_PID = re.compile(r"[0-9]{1,12}", re.ASCII)
_CHILD_DIGITS = 10  # ids of 子计划 and 一起捐 are that long, and their files stand elsewhere


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


def ask(
    external_id: str, url: str, origin: str | None = None, way: str | None = None,
    how: Mapping[str, object] | None = None,
) -> Ask:  # fmt: skip
    match _named(way):
        case "query":
            path = f"/cgi-bin/ProjInfoQuery.fcgi?id={external_id}&type=proj_base"
            return Ask(f"{origin or ORIGIN}{path}", headers=_JSON)
        case "detail":
            return Ask(f"{origin or _FILES}{_file(external_id)}")
        case _:
            return Ask(
                method="POST",
                url=f"{origin or ORIGIN}/gygw-app/ed/gdata.query/GetProjData",
                headers={"Content-Type": "application/json", **_JSON},
                body=json.dumps({"pid": external_id}).encode(),
            )


def read(
    answer: Answer, way: str | None = None, how: Mapping[str, object] | None = None
) -> Reading:
    """An error comes as HTTP 200 with a `code` other than 0; a file may do without a code."""
    name, post = _named(way), answers.json_of(answer)
    code = post.digits("code") if name == "detail" else post.needed(post.digits, "code")
    if code:
        raise Unreadable(N_("The platform answered with an error of its own"), code)
    match name:
        case "query":
            return _queried(post, answer)
        case "detail":
            return _filed(post, answer)
        case _:
            return _current(post, answer)


def _named(way: str | None) -> str:
    if way is not None and way not in (one.name for one in WAYS):
        raise Unreadable(N_("The platform is not asked in this way"), way)
    return way or WAYS[0].name


def _file(pid: str) -> str:
    """Files lie in a hundred folders, named by the id's last two digits without leading zero."""
    folder = "sub_data_detail" if len(pid) >= _CHILD_DIGITS else "data_detail"
    shard = int(pid) % 100 if pid.isdecimal() else 0
    return f"/json_data/{folder}/{shard}/detail.{pid}.js"


def _current(post: Fields, answer: Answer) -> Reading:
    """`sum_money` is in fen, `sum_times` counts donations."""
    data = post.needed(post.inner, "data")
    return Reading(
        raised=_fen(data, "sum_money"),
        moment=answer.asked_at,
        donations=data.count("sum_times"),
    )


def _queried(post: Fields, answer: Answer) -> Reading:
    """In fen. The page's own script adds to a project's money that of its child projects."""
    told = post.needed(post.inner, "msg")
    stat, base = told.needed(told.inner, "stat"), told.inner("base")
    own, children = _fen(stat, "recvedMoney"), stat.digits("children_money") or 0
    times = stat.digits("donateNum")
    return Reading(
        raised=None if own is None else _money(own.minor + children),
        moment=answer.asked_at,
        donations=None if times is None else times + (stat.digits("children_times") or 0),
        title=_title(base) if base else None,
    )


def _filed(post: Fields, answer: Answer) -> Reading:
    """`obtainMoney` is in yuan, `needMoney` in fen, where 0 means no target."""
    whole = post if "base" in post else post.needed(post.inner, "msg")
    base = whole.needed(whole.inner, "base")
    donate = base.needed(base.inner, "donate")
    if "obtainMoney" not in donate:
        donate.refuse("obtainMoney", MISSING)
    target = base.digits("needMoney")
    return Reading(
        raised=donate.figure("obtainMoney", CURRENCY),
        moment=answer.asked_at,
        target=_money(target) if target else None,
        donations=donate.digits("donateNum"),
        title=_title(base),
    )


def _title(base: Fields) -> str | None:
    """Older answers write texts percent-encoded."""
    title = base.words("title", 2000)
    return unquote(title)[:200] if title else None


def _fen(data: Fields, name: str) -> Money | None:
    if name not in data:
        data.refuse(name, MISSING)
    fen = data.digits(name)
    return None if fen is None else _money(fen)


def _money(fen: int) -> Money:
    try:
        return Money(fen, CURRENCY)
    except BadMoney as error:
        raise Unreadable(N_("An amount cannot be read"), error) from error
