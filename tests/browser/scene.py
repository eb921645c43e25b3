"""A scene to look at: campaigns as they are after some months of work, with every kind of part."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from campaigns import bookings, ledger
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState, CampaignText
from campaigns.model.consent import Purpose
from campaigns.model.correction import Cause, Correction
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.entry import Door, EntryKind, MatchStage
from campaigns.model.gift import Gift, Moderation
from campaigns.model.listing import Asking, Listing, Rule
from campaigns.model.report import Origin, Report, ReportState
from campaigns.model.update import UpdateText
from campaigns.money import Money
from tests import make

NOW = datetime.now(UTC)
TEXTS = {
    "en": (
        "After school: a study room for children of migrant workers",
        "In the three hours before their parents come home, children need a quiet desk "
        "and a grown-up who listens.",
        """Parents work until nine. For three hours after school, children of migrant workers
have nowhere to go but the street or an empty room.

## What the money is for

- a year's rent of a room of 60 m²
- sixteen desks, lamps, and **books** nobody has to return
- one teacher who listens

> "I like the desk by the window." Xiaomei, nine
""",
    ),
    "zh-Hans": (
        "放学以后：给流动儿童的一间自习室",
        "父母收工前的三个小时，孩子们需要一张安静的书桌、一位愿意听他们说话的大人。",
        """父母九点才收工。放学后的三个小时，流动儿童只能待在街上，或是空荡荡的出租屋里。

## 钱用在哪里

- 一间 60 平方米活动室一年的租金
- 十六张书桌、台灯，和不必归还的**书**
- 一位愿意听孩子说话的老师

> “我喜欢靠窗的那张桌子。”小美，九岁
""",
    ),
}
# Days ago → (language, title, body)
UPDATES = {
    40: [
        ("en", "We have rented the room", "A lease of one year, **¥2,400** a month."),
        (
            "zh-Hans",
            "我们租下了活动室",
            "租约一年，月租 **2,400 元**。[合同](/c/after-school)",
        ),
    ],
    12: [
        (
            "en",
            "The first desks have arrived",
            "Sixteen came.\n\n| what | paid |\n| --- | --- |\n| desks | ¥6,400 |\n",
        ),
        ("zh-Hans", "第一批书桌到了", "十六张书桌在周六上午送到。靠窗的位置要轮流坐。"),
    ],
}


def play() -> Campaign:
    """Fill an empty database; the campaign with everything is `after-school`."""
    make.organisation(demo=True)
    foundation = _organisation("上海联劝公益基金会", "Shanghai United Foundation")
    campaign = make.campaign(
        "after-school",
        starts_on=(NOW - timedelta(days=80)).date(),
        ends_on=(NOW + timedelta(days=38)).date(),
        report_every_days=30,
        receiving_id=foundation,
        filing_number="51310000MJ4956789XA25001",
    )
    for text in campaign.texts:
        text.title, text.summary, text.story = TEXTS[text.locale]
    _listings(campaign)
    _updates(campaign)
    _ended()
    _bare()
    db.session.commit()
    return campaign


def first_figure(slug: str, raised: int) -> None:
    """The first report about the listing that a campaign began with comes in, now."""
    listing = db.session.scalars(
        select(Listing)
        .join(Campaign, Campaign.id == Listing.campaign_id)
        .where(Campaign.slug == slug)
        .order_by(Listing.id)
        .limit(1)
    ).one()
    _report(listing, raised, timedelta(), moment=datetime.now(UTC))


def write_to(address: str) -> None:
    """An update about `after-school` is on its way to a donor who follows."""
    donor = db.session.scalars(select(Donor).where(Donor.address == address)).one()
    campaign = db.session.scalars(select(Campaign).where(Campaign.slug == "after-school")).one()
    mailing = make.mailing(make.update(campaign))
    letter = Delivery(
        letter=LetterKind.MAILING,
        mailing_id=mailing.id,
        donor_id=donor.id,
        address_hash=donor.address_hash or "",
        campaign_id=campaign.id,
        purpose=Purpose.UPDATES,
        locale=donor.locale or "en",
        state=DeliveryState.QUEUED,
        due_at=NOW,
        created_at=NOW,
    )
    db.session.add(letter)
    db.session.commit()


def _organisation(chinese: str, english: str) -> int:
    row = make.organisation(ours=False)
    for text in row.texts:
        text.name = chinese if text.locale == "zh-Hans" else english
    db.session.commit()
    return row.id


def _listings(campaign: Campaign) -> None:
    tencent = make.listing(campaign, position=0, external_id="901")
    alipay = make.listing(campaign, position=1, platform="alipay", external_id="902")
    foundation = make.listing(
        campaign,
        position=2,
        platform="foundation",
        external_id="https://foundation.example.org/feed.json",
        url="https://foundation.example.org/give",
        rule=Rule.ITEMISED,
    )
    _report(tencent, 11_401_000, timedelta(minutes=9), donations=1204)
    _report(alipay, 4_530_050, timedelta(minutes=2), donations=611)
    _report(alipay, 3_102_000, timedelta(minutes=1), state=ReportState.QUARANTINED)
    _entry(tencent, EntryKind.MATCH, 880_000, timedelta(days=3), stage=MatchStage.CONFIRMED)
    _gifts(foundation)
    correction = Correction(
        listing_id=alipay.id,
        at=NOW - timedelta(days=5),
        cause=Cause.VERDICT,
        before_minor=4_612_000,
        after_minor=4_410_000,
        currency="CNY",
        reason="两笔退款到账晚了一天。",
    )
    db.session.add(correction)


def _gifts(listing: Listing) -> None:
    shown: dict[str, Any] = {"show_name": True, "moderation": Moderation.SHOWN}
    for days, amount, wish in (
        (9, 2_700_000, {}),
        (4, 520, {}),
        (3, 20_000, {"public_name": "王晓梅", "message": "给靠窗的孩子", **shown}),
        (2, 5_000, {"public_name": "Konstantinopoulos-Featherstonehaugh", **shown}),
        (1, 1_000, {"message": "加油！", "moderation": Moderation.SHOWN}),
    ):
        entry_id = _entry(listing, EntryKind.DONATION, amount, timedelta(days=days))
        db.session.add(Gift(entry_id=entry_id, **wish))


def _updates(campaign: Campaign) -> None:
    author = make.staff("lin@example.org", name="林老师")
    for days, texts in UPDATES.items():
        make.update(
            campaign,
            author_id=author.id,
            published_at=NOW - timedelta(days=days),
            texts=[UpdateText(locale=locale, title=t, body=b) for locale, t, b in texts],
        )


def _ended() -> None:
    campaign = make.campaign(
        "community-2019", currency="USD", state=CampaignState.ENDED, created_at=NOW - timedelta(400)
    )
    campaign.texts = [
        CampaignText(locale="zh-Hans", title="社区服务 2019", summary="三个社区的一年。"),
        CampaignText(locale="en", title="Community services 2019", summary="One year."),
    ]
    listing = make.listing(campaign, asking=Asking.ENDED, external_id="903")
    _report(listing, 31_250_000, timedelta(days=300), origin=Origin.BY_HAND)


def _bare() -> None:
    """One that has only just begun, without a target, summary or figure."""
    campaign = make.campaign("new", target_minor=None)
    campaign.texts = [CampaignText(locale="zh-Hans", title="刚刚开始")]
    make.listing(campaign, external_id="904")


def _report(of: Listing, raised: int, ago: timedelta, **more: Any) -> None:
    report = Report(
        listing_id=of.id,
        moment=more.pop("moment", NOW - ago),
        received_at=NOW - ago,
        raised_minor=raised,
        currency=of.currency,
        state=more.pop("state", ReportState.ACCEPTED),
        **more,
    )
    db.session.add(report)
    db.session.commit()


def _entry(of: Listing, kind: EntryKind, amount: int, ago: timedelta, **more: Any) -> int:
    booking = bookings.Booking(
        listing=of,
        kind=kind,
        amount=Money(amount, of.currency),
        occurred_at=NOW - ago,
        source="foundation",
        keys=(),
        door=Door.HAND,
        **more,
    )
    return ledger.book(booking, NOW).entry_id
