"""Endpoints whose keys the sender gives: what is set, exchanged with an overlap, and said wrong."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import endpoints
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.endpoint import WebhookEndpoint, WebhookSecret
from campaigns.platforms.base import BadKeys
from config import settings
from tests import make, payers
from tests.make import NOON
from tests.test_endpoints import run

pytestmark = pytest.mark.usefixtures("app")
ALIPAY = {"app_id": payers.APP, "seller_id": payers.SELLER}
WECHAT = {"mchid": payers.MCHID, "appid": payers.APPID, "apiv3_key": payers.APIV3_KEY}
DAY = timedelta(days=1)


def bare(name: str = "theirs") -> str:
    """A public key as Alipay's console shows it."""
    return "".join(payers.public_key(name).splitlines()[1:-1])


def alipay() -> WebhookEndpoint:
    given = {**ALIPAY, "public_key": bare(), "order_prefix": "DON-"}
    return endpoints.create("alipay", "alipay", make.campaign(), NOON, given=given).endpoint


def wechat() -> WebhookEndpoint:
    given = {**WECHAT, "key:PUB_KEY_ID_1": payers.public_key()}
    return endpoints.create("wechat", "wechatpay", make.campaign(), NOON, given=given).endpoint


def valid(endpoint: WebhookEndpoint, name: str, later: timedelta = timedelta()) -> list[str]:
    return list(endpoint.keys(settings().data_keys, NOON + later).valid(name))


def test_keys_are_sealed_and_settings_are_plain() -> None:
    endpoint = alipay()
    assert endpoint.settings == {**ALIPAY, "order_prefix": "DON-"}
    assert bare() not in db.session.scalars(select(WebhookSecret.sealed)).one()
    assert valid(endpoint, "public_key") == [bare()]


def test_the_source_is_the_account_that_the_money_comes_through() -> None:
    assert alipay().source == f"alipay:{payers.SELLER}"
    assert wechat().source == f"wechatpay:{payers.MCHID}"


def test_nothing_is_shown_where_nothing_was_made() -> None:
    given = {**ALIPAY, "public_key": payers.public_key()}
    assert endpoints.create("alipay", "alipay", make.campaign(), NOON, given=given).secret == ""


def test_a_sender_may_insist_on_its_own_secret() -> None:
    given = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    made = endpoints.create("partner", "standard", make.campaign(), NOON, given=given)
    assert made.secret == ""
    assert valid(made.endpoint, "secret") == [given["secret"]]


@pytest.mark.parametrize(
    ("scheme", "given", "named"),
    [
        ("alipay", {**ALIPAY}, "public_key"),
        ("alipay", {"seller_id": payers.SELLER, "public_key": bare()}, "app_id"),
        ("alipay", {**ALIPAY, "public_key": "secret words"}, "public_key"),
        ("alipay", {**ALIPAY, "public_key": bare(), "apiv3_key": "x"}, "apiv3_key"),
        ("alipay", {**ALIPAY, "public_key:1": bare()}, "public_key:1"),
        ("wechatpay", WECHAT, "key"),
        ("wechatpay", {**WECHAT, "key": payers.public_key()}, "key"),
        ("wechatpay", {**WECHAT, "key:PUB_KEY_ID_1": "x"}, "key:PUB_KEY_ID_1"),
        ("standard", {"secret": "whsec_short"}, "secret"),
    ],
)
def test_what_is_missing_or_wrong_is_named(scheme: str, given: dict[str, str], named: str) -> None:
    with pytest.raises(BadKeys) as caught:
        endpoints.create("name", scheme, make.campaign(), NOON, given=given)
    assert caught.value.setting == named
    assert "secret words" not in str(caught.value)


@pytest.mark.parametrize(
    ("hours", "after"), [(0, timedelta()), (1, timedelta(hours=1)), (48, 2 * DAY)]
)
def test_old_and_new_key_are_valid_together_for_a_set_time(hours: int, after: timedelta) -> None:
    endpoint = alipay()
    new = {"public_key": bare("new")}
    endpoints.rotate(endpoint, NOON, given=new, overlap=timedelta(hours=hours))
    assert valid(endpoint, "public_key", after) == [bare("new")]
    if hours:
        before = after - timedelta(seconds=1)
        assert set(valid(endpoint, "public_key", before)) == {bare("new"), bare()}


def test_rotating_one_sort_of_secret_leaves_the_others() -> None:
    endpoint = wechat()
    endpoints.rotate(endpoint, NOON, given={"apiv3_key": "x" * 32}, overlap=DAY)
    assert valid(endpoint, "apiv3_key", 2 * DAY) == ["x" * 32]
    assert valid(endpoint, "key:PUB_KEY_ID_1", 2 * DAY) == [payers.public_key().strip()]


def test_a_key_of_another_serial_takes_over_or_stands_beside() -> None:
    endpoint = wechat()
    endpoints.rotate(
        endpoint, NOON, given={"key:5157F09EFDC096DE": payers.public_key("b")}, overlap=None
    )
    assert valid(endpoint, "key:PUB_KEY_ID_1", 999 * DAY)
    endpoints.rotate(
        endpoint, NOON, given={"key:PUB_KEY_ID_2": payers.public_key("c")}, overlap=DAY
    )
    assert valid(endpoint, "key:PUB_KEY_ID_1", 2 * DAY) == []
    assert valid(endpoint, "key:5157F09EFDC096DE", 2 * DAY) == []
    assert valid(endpoint, "key:PUB_KEY_ID_2", 2 * DAY)


def test_a_key_that_is_given_again_stays() -> None:
    endpoint = alipay()
    endpoints.rotate(endpoint, NOON, given={"public_key": bare("new")}, overlap=DAY)
    endpoints.rotate(endpoint, NOON, given={"public_key": bare()}, overlap=DAY)
    assert valid(endpoint, "public_key", 2 * DAY) == [bare()]
    assert len(endpoint.secrets) == 2


def test_settings_change_at_once_and_can_be_taken_away() -> None:
    endpoint = alipay()
    endpoints.rotate(endpoint, NOON, given={"order_prefix": "", "app_id": "2021000000000009"})
    assert endpoint.settings == {"app_id": "2021000000000009", "seller_id": payers.SELLER}
    record = db.session.scalars(select(AuditRecord).order_by(AuditRecord.id.desc())).first()
    assert record is not None
    assert (record.changes or {}).keys() == {"app_id", "order_prefix"}


def test_another_account_needs_an_endpoint_of_its_own() -> None:
    with pytest.raises(endpoints.AnotherAccount):
        endpoints.rotate(alipay(), NOON, given={"seller_id": "2088000000000002"})


def test_without_a_new_key_there_is_nothing_to_rotate() -> None:
    with pytest.raises(endpoints.NoSecretOfOurs):
        endpoints.rotate(alipay(), NOON)


def test_the_command_opens_an_endpoint_of_alipay(app: Flask, tmp_path: Path) -> None:
    listing = make.listing()
    (tmp_path / "key.txt").write_text(bare() + "\n")
    code, said = run(
        app, "add-webhook", "alipay", "--scheme", "alipay", "--listing", str(listing.id),
        "--set", f"app_id={payers.APP}", "--set", f"seller_id={payers.SELLER}",
        "--set", f"public_key=@{tmp_path}/key.txt", "--set", "order_prefix=DON-,S-=spring",
    )  # fmt: skip
    assert (code, said) == (0, "Address: http://localhost/webhooks/alipay\n")
    endpoint = endpoints.named("alipay")
    assert endpoint.settings["order_prefix"] == "DON-,S-=spring"
    assert valid(endpoint, "public_key") == [bare()]


def test_the_command_opens_an_endpoint_of_wechat_pay_with_several_keys(
    app: Flask, tmp_path: Path
) -> None:
    make.campaign("spring")
    (tmp_path / "pub.pem").write_text(payers.public_key())
    code, _ = run(
        app, "add-webhook", "wechat", "--scheme", "wechatpay", "--campaign", "spring",
        "--set", f"mchid={payers.MCHID}", "--set", f"appid={payers.APPID}",
        "--set", f"apiv3_key={payers.APIV3_KEY}",
        "--set", f"key:PUB_KEY_ID_1=@{tmp_path}/pub.pem",
        "--set", f"key:5157f09efdc096de={bare('new')}",
    )  # fmt: skip
    assert code == 0
    keys = endpoints.named("wechat").keys(settings().data_keys, NOON)
    assert sorted(which for which, _ in keys.each("key")) == ["5157f09efdc096de", "PUB_KEY_ID_1"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("apiv3_key", "Write each --set as name=value"),
        ("=hidden-value", "Write each --set as name=value"),
        ("public_key=@/nowhere/at/all", "public_key: /nowhere/at/all cannot be read."),
        ("public_key=hidden-value", "public_key: This is neither a public key"),
        ("app_id=hidden-value", "app_id is given twice."),
        ("colour=hidden-value", "colour: The scheme has no setting of this name."),
    ],
)
def test_a_setting_that_is_wrong_is_named_without_its_value(
    app: Flask, given: str, named: str
) -> None:
    listing = make.listing()
    words = ["add-webhook", "alipay", "--scheme", "alipay", "--listing", str(listing.id)]
    words += ["--set", f"app_id={payers.APP}", "--set", f"seller_id={payers.SELLER}"]
    code, said = run(app, *words, "--set", given)
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith(f"Error: {named}")
    assert "hidden" not in said
    assert db.session.scalars(select(WebhookEndpoint)).all() == []


def test_a_file_that_holds_no_text_is_refused(app: Flask, tmp_path: Path) -> None:
    listing = make.listing()
    (tmp_path / "key.der").write_bytes(b"\xff\xfe\x00")
    words = ["add-webhook", "a1", "--scheme", "alipay", "--listing", str(listing.id)]
    code, said = run(app, *words, "--set", f"public_key=@{tmp_path}/key.der")
    assert (code, "does not hold text" in said) == (1, True)


def test_the_command_rotates_with_an_overlap(app: Flask) -> None:
    alipay()
    new = f"public_key={bare('new')}"
    assert run(app, "rotate-webhook", "alipay", "--set", new, "--overlap", "0")[0] == 0
    db.session.expire_all()
    assert len(endpoints.named("alipay").secrets) == 2
    later = endpoints.named("alipay").keys(settings().data_keys, NOON + 999 * DAY)
    assert list(later.valid("public_key")) == [bare("new")]


@pytest.mark.parametrize(
    "words",
    [
        ("rotate-webhook", "alipay"),
        ("rotate-webhook", "alipay", "--overlap", "-1"),
        ("rotate-webhook", "alipay", "--overlap", "99999"),
        ("rotate-webhook", "alipay", "--set", "seller_id=2088000000000002"),
        ("rotate-webhook", "nobody", "--set", "a=b"),
    ],
    ids=" ".join,
)
def test_a_rotation_that_cannot_be_says_so_in_a_sentence(
    app: Flask, words: tuple[str, ...]
) -> None:
    alipay()
    code, said = run(app, *words)
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("Error: ")
