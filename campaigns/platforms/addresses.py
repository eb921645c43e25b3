"""Addresses that people paste and messages carry: taken apart, or not an address at all."""

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

LONGEST = 500
# urlsplit drops tabs and line ends silently, and a backslash means a slash to some readers only.
_UNCLEAN = re.compile(r"[\x00-\x20\x7f\\]|\s")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)
_USUAL_PORTS = {"http": 80, "https": 443}


class Address(NamedTuple):
    """An http or https address without credentials: `host` in lower case, a usual port as None."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str
    fragment: str

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port else "")

    @property
    def target(self) -> str:
        """What stands after the origin and is sent to the server."""
        return (self.path or "/") + (f"?{self.query}" if self.query else "")

    @property
    def parameters(self) -> dict[str, str]:
        """Those of the query and, as single-page sites have it, of the fragment behind it."""
        fragment = unquote(self.fragment).rpartition("?")[2]
        return dict(parse_qsl(fragment)) | dict(parse_qsl(self.query))


def split(text: str, longest: int = LONGEST) -> Address | None:
    """Take a pasted address apart; a missing scheme means https. None if it is not one of ours."""
    text = text.strip()
    if not text or len(text) > longest or _UNCLEAN.search(text):
        return None
    try:
        parts = urlsplit(text if _SCHEME.match(text) else f"https://{text}")
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _USUAL_PORTS or not host or "@" in parts.netloc or port == 0:
        return None
    unusual = None if port == _USUAL_PORTS[parts.scheme] else port
    return Address(parts.scheme, host, unusual, parts.path, parts.query, parts.fragment)
