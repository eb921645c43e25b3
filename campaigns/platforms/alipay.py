"""Alipay Charity (支付宝公益): the figures on a project's public page on love.alipay.com."""

import html
import re
from collections.abc import Iterator, Mapping

from campaigns.money import BadMoney, Money
from campaigns.platforms import addresses, answers, fields
from campaigns.platforms.base import N_, Answer, Ask, Reading, Recognised, Unreadable
from campaigns.platforms.platform import Way

LABEL = N_("Alipay Charity")
ORIGIN = "https://love.alipay.com"
CURRENCY = "CNY"
DATED = False
WAYS = (Way("page", N_("The project's page")),)

_ITEM = re.compile(r"[0-9]{10,25}", re.ASCII)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)")
_TAG = re.compile(r"(<[^<>]*>)")
_TITLE = re.compile(r"<h2[^<>]*\bdonate-detail-title\b[^<>]*>([^<]*)<")
_AMOUNT = r"\s*[:：]\s*([0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)\s*元"
_RAISED = re.compile("已募善款" + _AMOUNT)
_TARGET = re.compile("筹款目标" + _AMOUNT)
_DONORS = re.compile(r"参捐人数\s*[:：]\s*([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,12})(?![0-9,.万])")


def recognise(url: str) -> Recognised | None:
    """A project's page: `https://love.alipay.com/donate/itemDetail.htm?name=` and its number."""
    address = addresses.split(url)
    if not address or address.host != "love.alipay.com":
        return None
    item = address.parameters.get("name", "")
    if not address.path.lower().endswith("/itemdetail.htm") or not _ITEM.fullmatch(item):
        return None
    return Recognised(item, _page(ORIGIN, item))


def ask(
    external_id: str, url: str, origin: str | None = None, way: str | None = None,
    how: Mapping[str, object] | None = None,
) -> Ask:  # fmt: skip
    return Ask(url=_page(origin or ORIGIN, external_id), headers={"Accept": "text/html"})


def read(
    answer: Answer, way: str | None = None, how: Mapping[str, object] | None = None
) -> Reading:
    """The amount after 已募善款; 筹款目标 and 参捐人数 are absent on some pages.

    The page's labels are the anchors, since its classes are decoration: a label that is gone,
    or stands there with two different amounts, is an error and never a zero.
    """
    page = _decode(answers.body_of(answer))
    text = "".join(_shown(page))
    amounts = set(_RAISED.findall(text))
    if not amounts:
        answers.refuse_robot_check(page)
        raise Unreadable(N_("The page does not show 已募善款 with an amount in yuan."))
    if len(amounts) > 1:
        raise Unreadable(N_("The page shows 已募善款 with several different amounts."))
    if "</html>" not in page.lower():
        raise Unreadable(N_("The page ends in the middle."))
    target, donors, title = _TARGET.search(text), _DONORS.search(text), _TITLE.search(page)
    times = int(donors.group(1).replace(",", "")) if donors else None
    return Reading(
        raised=_yuan(amounts.pop()),
        moment=answer.asked_at,
        target=_yuan(target.group(1)) if target else None,
        donations=times,  # 人次: who gave twice is counted twice
        donors=times,
        title=fields.clean(html.unescape(title.group(1)))[:200] or None if title else None,
    )


def _page(origin: str, item: str) -> str:
    return f"{origin}/donate/itemDetail.htm?name={item}"


def _decode(body: bytes) -> str:
    """The header says iso-8859-1, the bytes are GBK; the page's own word is believed if UTF-8.

    A byte that fits neither becomes U+FFFD, which no label and no amount contains.
    """
    declared = _CHARSET.search(body[:2048])
    is_utf8 = declared is not None and declared.group(1).lower() in (b"utf-8", b"utf8")
    return body.decode("utf-8" if is_utf8 else "gb18030", "replace")


def _shown(page: str) -> Iterator[str]:
    """The text a reader sees, in one pass whatever the page holds: no tags, comments, scripts."""
    hidden = None
    for piece in _TAG.split(_without_comments(page)):
        if not piece.startswith("<"):
            if hidden is None:
                yield html.unescape(piece)
            continue
        name = piece[1:8].lower()
        if hidden is None:
            hidden = next((tag for tag in ("script", "style") if name.startswith(tag)), None)
        elif name.startswith(f"/{hidden}"):
            hidden = None


def _without_comments(page: str) -> str:
    first, *others = page.split("<!--")
    return first + "".join(other.partition("-->")[2] for other in others)


def _yuan(text: str) -> Money:
    try:
        return Money.of(text.replace(",", ""), CURRENCY)
    except BadMoney as error:
        raise Unreadable(N_("An amount cannot be read"), error) from error
