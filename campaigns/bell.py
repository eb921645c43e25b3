"""The bell: whether the broker can be heard, asked with a bound on the waiting."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kombu.connection import Connection

PATIENCE = 0.3  # seconds; nobody in the web waits longer for the broker (design §3)

# One thread: a broker that hangs holds up the next question and nothing else.
_asking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bell")


class Silent(Exception):
    """The broker did not answer in time. The message names neither address nor password."""


def ring(url: str, seconds: float = PATIENCE) -> None:
    """Connect to the broker at `url` and let go. Raises `Silent` after `seconds` at the latest."""
    way = _way(url, seconds)
    asked = _asking.submit(_ask, way)
    try:
        asked.result(timeout=seconds)
    except TimeoutError as error:
        asked.cancel()
        raise Silent(f"The broker did not answer within {seconds} s.") from error


def _way(url: str, seconds: float) -> Any:
    # Loads the transport's code here, so that the first question is not late because of it.
    try:
        limits = _limits(url, seconds)
        way = Connection(url, connect_timeout=seconds, transport_options=limits)  # type: ignore[no-untyped-call]
        way.transport_cls  # noqa: B018
    except (KeyError, ImportError, ValueError) as error:
        raise Silent("The broker's address names no transport that is installed.") from error
    return way


def _ask(way: Any) -> None:
    with way:
        try:
            # Not `way.connect()`, which tries again after two seconds.
            way.transport.establish_connection()
        except (*way.connection_errors, *way.channel_errors, OSError, ValueError) as error:
            raise Silent(f"The broker cannot be reached: {type(error).__name__}.") from error


def _limits(url: str, seconds: float) -> dict[str, Any]:
    if url.startswith(("redis", "rediss", "unix")):
        # Whoever asked has left by then, having said that nothing answered.
        return {"socket_connect_timeout": 2 * seconds, "socket_timeout": 2 * seconds}
    return {}
