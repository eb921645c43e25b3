"""Charsets: an answer's bytes as text, in whatever charset they are more likely to be.

Chinese platforms send GBK under headers that say otherwise, so the bytes are asked first: what is
valid UTF-8 is hardly ever anything else.
"""

import re
from collections.abc import Iterator, Mapping

LOOKED_AT = 4096  # bytes of a page in which it may name its charset
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_NAMED = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
# By the names that servers use; GB18030 holds all of GBK and GB2312. Latin-1 is left out: it fits
# any bytes, and servers that know nothing about a page say it.
_KNOWN = {
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5",
    "shift_jis": "cp932",
    "euc-jp": "euc_jp",
    "euc-kr": "euc_kr",
    "windows-1251": "cp1251",
    "windows-1252": "cp1252",
    "iso-8859-15": "iso8859_15",
}


def decoded(body: bytes, headers: Mapping[str, str], *, cut: bool = False) -> tuple[str, str]:
    """The text, and the name of the charset it was read in. Bytes that do not fit become U+FFFD.

    `cut`: the body is only the beginning of what came, so its last character may be half there.
    """
    for charset in _candidates(body, headers):
        try:
            return _strictly(body, charset, cut), _name(charset)
        except UnicodeDecodeError:
            continue
    likeliest = next((c for c in _candidates(body, headers) if c != "utf-8"), "utf-8")
    return body.decode(likeliest, "replace"), _name(likeliest)


def _strictly(body: bytes, charset: str, cut: bool) -> str:
    try:
        return body.decode(charset)
    except UnicodeDecodeError as error:
        if not cut or error.start < len(body) - 3:
            raise
        return body[: error.start].decode(charset)


def _candidates(body: bytes, headers: Mapping[str, str]) -> Iterator[str]:
    for mark, charset in _MARKS.items():
        if body.startswith(mark):
            yield charset
    yield "utf-8"
    content_type = headers.get("content-type", "").encode("utf-8", "replace")
    for place in (body[:LOOKED_AT], content_type):
        for named in _NAMED.findall(place):
            known = _KNOWN.get(named.decode("ascii", "replace").lower())
            if known is not None:
                yield known
    yield "gb18030"


def _name(charset: str) -> str:
    return {"utf-8-sig": "UTF-8", "gb18030": "GB18030 (GBK)"}.get(charset, charset.upper())
