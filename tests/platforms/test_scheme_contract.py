"""The contract of webhook schemes: posts recorded of each are read or refused."""

from datetime import datetime

import pytest

from campaigns.platforms import base, registry
from campaigns.platforms.scheme import Keys
from tests.platforms import recorded
from tests.platforms.recorded import Case

POSTS_OWED = {"good", "malformed", "not_understood", "tampered", "truncated", "unsigned"}
SCHEMES = sorted(registry.schemes())
POSTS = [case for name in SCHEMES for case in recorded.cases(name, "posts", POSTS_OWED)]


def _keys(name: str) -> Keys:
    told = recorded.index(name, "posts.json")
    return Keys(told["secrets"], told["settings"])


@pytest.mark.parametrize("case", POSTS, ids=str)
def test_a_post_is_read_or_refused(case: Case) -> None:
    scheme, keys = registry.scheme(case.name), _keys(case.name)
    at = datetime.fromisoformat(case.told["at"])
    if "event_id" not in case.told:
        assert case.condition is not None
        with pytest.raises(case.condition):
            scheme.verify(case.told["headers"], case.body, keys, at)
        return
    assert scheme.verify(case.told["headers"], case.body, keys, at) == case.told["event_id"]
    if case.condition:
        with pytest.raises(case.condition):
            scheme.movements(case.body, keys, at)
        return
    found = [recorded.plain(movement) for movement in scheme.movements(case.body, keys, at)]
    assert found == case.told["movements"]


@pytest.mark.parametrize("case", [c for c in POSTS if c.situation == "good"], ids=str)
def test_one_changed_byte_breaks_the_signature(case: Case) -> None:
    at = datetime.fromisoformat(case.told["at"])
    for place in range(0, len(case.body), 5):
        changed = bytearray(case.body)
        changed[place] ^= 1
        with pytest.raises(base.NoticeError):
            registry.scheme(case.name).verify(
                case.told["headers"], bytes(changed), _keys(case.name), at
            )


@pytest.mark.parametrize("name", SCHEMES)
def test_an_endpoint_without_keys_does_not_pass_the_check(name: str) -> None:
    registry.scheme(name).check(_keys(name))
    with pytest.raises(base.BadKeys):
        registry.scheme(name).check(Keys())


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("status", [200, 202, 400, 409, 413, 503])
def test_every_verdict_has_a_reply(name: str, status: int) -> None:
    reply = registry.scheme(name).reply(status, "原因")
    assert (reply.status < 300) == (status < 300)
    assert reply.content_type
