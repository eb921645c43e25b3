"""What every platform's answer may say beside its body: for how long to be patient."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from campaigns.platforms import registry
from campaigns.platforms.base import Answer, Busy

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("999999999", 86400),
        (format_datetime(NOON.replace(minute=2), usegmt=True), 120),
        (format_datetime(NOON.replace(hour=11), usegmt=True), 0),
        ("Mon, 07 Sep 2026 12:02:00", 120),
        ("Mon, 31 Feb 2026 12:02:00 GMT", None),
        ("-5", None),
        ("1e3", None),
        ("soon", None),
        ("", None),
        ("Mon, 07 Sep 99999 12:02:00 GMT", None),
    ],
)
def test_a_wish_for_patience_is_read_and_bounded(value: str, seconds: int | None) -> None:
    with pytest.raises(Busy) as caught:
        registry.platform("tencent").read(Answer(503, {"retry-after": value}, b"", NOON))
    wait = caught.value.retry_after
    assert (wait.total_seconds() if wait is not None else None) == seconds
