"""What providers publish for whoever checks their signatures, by the guarded fetch (P8)."""

import time
from threading import Lock

from campaigns.mail.hook import Unavailable
from campaigns.platforms.base import Ask, PlatformError
from campaigns.platforms.fetch import Manners, fetch
from config import settings

# A certificate has 3 kB. Providers hang up after 10 to 15 s.
LARGEST, SECONDS = 64 * 1024, 5.0
KEPT_SECONDS, MOST = 24 * 3600.0, 16


class Published:
    """Asks, and keeps what it was answered for a day. Any thread may use it."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, bytes]] = {}
        self._lock = Lock()

    def kept(self, url: str) -> bytes:
        """What stands at an address; the second time from memory. Raises `Unavailable`."""
        now = time.monotonic()
        with self._lock:
            since, known = self._kept.get(url, (now - KEPT_SECONDS, b""))
        if since > now - KEPT_SECONDS:
            return known
        found = self.fetch(url)
        with self._lock:
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[url] = (now, found)
        return found

    def fetch(self, url: str) -> bytes:
        """Asked each time. What stands elsewhere is not taken, wherever the address leads, since
        it was this one that was allowed. Raises `Unavailable`."""
        try:
            answer = fetch(Ask(url), Manners.of(settings(), SECONDS, LARGEST))
        except PlatformError as error:
            raise Unavailable(
                f"A provider's page cannot be had: {type(error).__name__}."
            ) from error
        if answer.status != 200 or answer.url != url:
            raise Unavailable(f"A provider's page answers {answer.status}.")
        return answer.body
