"""Staff pages of endpoints and notices: opened, tried out, exchanged, filtered, booked again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from campaigns import endpoints, told
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, NoticeBody, Verdict
from campaigns.model.staff import Role
from campaigns.model.total import Total
from campaigns.web.staff import masked
from config import settings
from tests import make, payers
from tests.make import NOON
from tests.payers import event, form, payment, trade
from tests.web.staff.conftest import Desk

ALIPAY = {"app_id": payers.APP, "seller_id": payers.SELLER}
WECHAT = {"mchid": payers.MCHID, "appid": payers.APPID, "apiv3_key": payers.APIV3_KEY}


@pytest.fixture
def administrator(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.ADMINISTRATOR)


@pytest.fixture
def listing(app: object) -> Listing:
    return make.listing(make.campaign("spring-2026"))


def opened(at: Desk, listing: Listing, scheme: str, **fields: str) -> Any:
    fields = {"name": scheme, "scheme": scheme, "bounds": f"listing-{listing.id}", **fields}
    return at.post("/staff/webhooks", **fields)


def page(endpoint: str) -> str:
    return f"/staff/webhooks/{endpoints.named(endpoint).id}"


@pytest.mark.parametrize("scheme", ["standard", "alipay", "wechatpay"])
def test_the_form_of_each_scheme_asks_for_its_settings(administrator: Desk, scheme: str) -> None:
    shown = administrator.get(f"/staff/webhooks?scheme={scheme}").text
    asked = {"standard": "secret", "alipay": "public_key", "wechatpay": "key_1_id"}
    for one, field in asked.items():
        assert (f'name="{field}"' in shown) is (one == scheme)


def test_an_unknown_scheme_has_no_form(administrator: Desk) -> None:
    assert administrator.get("/staff/webhooks?scheme=morse").status_code == 404
    assert administrator.post("/staff/webhooks", scheme="morse").status_code == 404


def test_an_endpoint_of_alipay_is_opened(administrator: Desk, listing: Listing) -> None:
    key = payers.public_key()
    answer = opened(administrator, listing, "alipay", **ALIPAY, public_key=key)
    assert answer.status_code == 302
    endpoint = endpoints.named("alipay")
    assert (endpoint.source, endpoint.settings) == (f"alipay:{payers.SELLER}", ALIPAY)
    shown = administrator.get(page("alipay")).text
    assert payers.SELLER in shown
    assert key.splitlines()[1] not in shown


def test_an_endpoint_of_wechat_pay_takes_several_keys(
    administrator: Desk, listing: Listing
) -> None:
    keys = {"key_1_id": "PUB_KEY_ID_1", "key_1": payers.public_key()}
    keys |= {"key_2_id": "5157F09EFDC096DE", "key_2": payers.public_key("new")}
    assert opened(administrator, listing, "wechatpay", **WECHAT, **keys).status_code == 302
    held = endpoints.named("wechatpay").keys(settings().data_keys, NOON + timedelta(days=999))
    assert dict(held.each("key")).keys() == {"PUB_KEY_ID_1", "5157F09EFDC096DE"}
    assert payers.APIV3_KEY not in administrator.get(page("wechatpay")).text


@pytest.mark.parametrize(
    ("scheme", "fields", "wrong"),
    [
        ("alipay", {**ALIPAY, "public_key": "nonsense"}, "public_key"),
        ("alipay", {**ALIPAY, "seller_id": "7", "public_key": payers.public_key()}, "seller_id"),
        ("alipay", {"public_key": payers.public_key()}, "app_id"),
        ("wechatpay", {**WECHAT, "apiv3_key": "short"}, "apiv3_key"),
        ("wechatpay", {**WECHAT, "key_1_id": "x", "key_1": payers.public_key()}, "key_1"),
        ("wechatpay", WECHAT, "key_1"),
        ("standard", {"secret": "whsec_short"}, "secret"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    administrator: Desk, listing: Listing, scheme: str, fields: dict[str, str], wrong: str
) -> None:
    if scheme == "wechatpay" and "key_1" not in fields and wrong != "key_1":
        fields = {**fields, "key_1_id": "PUB_KEY_ID_1", "key_1": payers.public_key()}
    answer = opened(administrator, listing, scheme, **fields)
    assert (answer.status_code, f'id="{wrong}-error"' in answer.text) == (400, True)
    assert db.session.scalars(select(WebhookEndpoint)).all() == []


def test_reasons_are_told_in_the_readers_language(
    desk: Callable[..., Desk], listing: Listing
) -> None:
    at = desk(Role.ADMINISTRATOR, locale="zh-Hans")
    answer = opened(at, listing, "alipay", **ALIPAY, public_key="nonsense")
    assert "这既不是公钥也不是证书" in answer.text


@pytest.mark.parametrize("scheme", ["standard", "alipay", "wechatpay"])
def test_a_sample_shows_what_would_be_booked_and_leaves_nothing(
    administrator: Desk, listing: Listing, scheme: str
) -> None:
    if scheme == "standard":
        endpoints.create("standard", "standard", listing, NOON)
    else:
        make_one = {"alipay": payers.alipay, "wechatpay": payers.wechatpay}[scheme]
        make_one(listing, scheme)
    shown = administrator.post(f"{page(scheme)}/sample")
    assert shown.status_code == 200
    assert "1.00 would be booked to After school" in shown.text
    assert ("signed by a key made for the sample" in shown.text) is (scheme != "standard")
    for noun in (Notice, Entry, Total):
        assert db.session.scalars(select(noun)).all() == []
    assert endpoints.named(scheme).heard_at is None


def test_a_sample_says_why_it_would_not_be_booked(administrator: Desk, listing: Listing) -> None:
    payers.alipay(listing, order_prefix="DON-=elsewhere")
    shown = administrator.post(f"{page('alipay-1')}/sample").text
    assert "would be kept and not booked" in shown
    assert db.session.scalars(select(Notice)).all() == []


def test_keys_are_exchanged_with_a_chosen_overlap(administrator: Desk, listing: Listing) -> None:
    payers.alipay(listing)
    fields = {**ALIPAY, "public_key": payers.public_key("new"), "overlap": "168"}
    assert administrator.post(f"{page('alipay-1')}/rotate", **fields).status_code == 302
    old, new = sorted(endpoints.named("alipay-1").secrets, key=lambda key: key.id)
    assert new.expires_at is None
    assert old.expires_at is not None
    assert old.expires_at - new.created_at == timedelta(days=7)


def test_settings_are_changed_and_taken_away(administrator: Desk, listing: Listing) -> None:
    payers.alipay(listing, order_prefix="DON-")
    path = page("alipay-1")
    assert 'value="DON-"' in administrator.get(path).text
    administrator.post(f"{path}/rotate", **ALIPAY, order_prefix="", overlap="24")
    assert endpoints.named("alipay-1").settings == ALIPAY
    for wrong, field in (
        ({"app_id": ""}, "app_id"),
        ({"seller_id": "2088000000000002"}, "seller_id"),
        ({"overlap": "99"}, "overlap"),
    ):
        answer = administrator.post(f"{path}/rotate", **{**ALIPAY, "overlap": "24", **wrong})
        assert (answer.status_code, f'id="{field}-error"' in answer.text) == (400, True)
    assert len(endpoints.named("alipay-1").secrets) == 1


def notice(of: WebhookEndpoint, verdict: Verdict = Verdict.BOOKED, **more: Any) -> Notice:
    row = Notice(
        endpoint_id=of.id,
        event_id=f"evt-{next(payers.numbers)}",
        body_hash=f"{next(payers.numbers):064}",
        headers={"wechatpay-serial": "PUB_KEY_ID_1"},
        received_at=NOON,
        verdict=verdict,
    )
    for name, value in more.items():
        setattr(row, name, value)
    db.session.add(row)
    db.session.commit()
    return row


def test_notices_are_filtered_by_endpoint_state_and_day(treasurer: Desk, listing: Listing) -> None:
    one, two = make.endpoint("one", listing=listing), make.endpoint("two", listing=listing)
    notice(one, event_id="first")
    notice(two, event_id="second")
    notice(two, Verdict.FAILED, event_id="third", received_at=NOON - timedelta(days=1))
    # Noon in Shanghai: at nine in the evening before in UTC the day has begun there.
    notice(one, event_id="fourth", received_at=NOON - timedelta(hours=11))
    for query, found in (
        ("", {"first", "second", "third", "fourth"}),
        (f"?via={one.id}", {"first", "fourth"}),
        ("?verdict=failed", {"third"}),
        ("?day=2026-11-22", {"first", "second", "fourth"}),
        (f"?day=2026-11-21&via={two.id}", {"third"}),
        ("?via=999&verdict=nonsense&day=2026-02-30", {"first", "second", "third", "fourth"}),
        ("?day=0001-01-01", {"first", "second", "third", "fourth"}),
    ):
        shown = treasurer.get(f"/staff/notices{query}").text
        ids = {name for name in ("first", "second", "third", "fourth") if f">{name}<" in shown}
        assert ids == found, query


def test_all_that_failed_are_booked_again(treasurer: Desk, listing: Listing) -> None:
    one, two = make.endpoint("one", listing=listing), make.endpoint("two", listing=listing)
    failed = [notice(one, Verdict.FAILED) for _ in range(3)]
    other, booked = notice(two, Verdict.FAILED), notice(one)
    assert "3 of these could not be booked" in treasurer.get(f"/staff/notices?via={one.id}").text
    treasurer.post("/staff/notices/again", via=str(one.id))
    assert {row.verdict for row in failed} == {Verdict.WAITING}
    assert (other.verdict, booked.verdict) == (Verdict.FAILED, Verdict.BOOKED)


def test_a_notice_used_again_is_linked_both_ways(treasurer: Desk, listing: Listing) -> None:
    endpoint = make.endpoint("one", listing=listing)
    first = notice(endpoint)
    second = notice(endpoint, Verdict.CONFLICT, contradicts=first.id, event_id=first.event_id)
    assert f'href="/staff/notices/{second.id}"' in treasurer.get(f"/staff/notices/{first.id}").text
    assert f'href="/staff/notices/{first.id}"' in treasurer.get(f"/staff/notices/{second.id}").text
    assert "wechatpay-serial" in treasurer.get(f"/staff/notices/{first.id}").text


def test_forms_and_encrypted_bodies_are_shown_in_the_clear(
    treasurer: Desk, client: Any, listing: Listing
) -> None:
    alipay, wechat = payers.alipay(listing), payers.wechatpay(listing)
    alipay.post(client, form(trade("7", buyer_logon_id="tes***@example.com", subject="图书角")))
    wechat.post(client, event(payment("8")))
    one, two = db.session.scalars(select(Notice).order_by(Notice.id)).all()
    for kept, shown_to_all, personal in ((one, "图书角", "tes***"), (two, "420008", "oUpF8uMuAJO")):
        page = treasurer.get(f"/staff/notices/{kept.id}").text
        assert shown_to_all in page
        assert personal in page
        masked_body = masked.told(told.in_the_clear(kept), in_full=False)
        assert shown_to_all in masked_body
        assert personal not in masked_body


def test_a_body_is_read_with_the_keys_that_it_came_with(
    treasurer: Desk, client: Any, listing: Listing
) -> None:
    payers.wechatpay(listing).post(client, event(payment("8")))
    endpoint = endpoints.named("wechat-1")
    gone = NOON - timedelta(days=1)
    endpoints.rotate(endpoint, gone, given={"apiv3_key": "x" * 32}, overlap=timedelta(days=999))
    for secret in endpoint.secrets:
        if secret.expires_at:
            secret.expires_at = db.session.scalars(select(Notice.received_at)).one() + timedelta(
                seconds=1
            )
    db.session.commit()
    number = db.session.scalars(select(Notice.id)).one()
    assert "420008" in treasurer.get(f"/staff/notices/{number}").text


def test_what_cannot_be_read_is_shown_raw(treasurer: Desk, listing: Listing) -> None:
    row = notice(make.endpoint("one", listing=listing))
    row.body = NoticeBody(notice_id=row.id, content=b"neither JSON nor a form")
    db.session.commit()
    assert "neither JSON" in treasurer.get(f"/staff/notices/{row.id}").text
