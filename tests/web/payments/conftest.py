"""Alipay and WeChat Pay before a campaign of their own."""

import pytest
from flask import Flask

from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing, Rule
from tests import make, payers
from tests.payers import Alipay, WechatPay


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make.campaign("spring-2026")


@pytest.fixture
def listing(campaign: Campaign) -> Listing:
    return make.listing(campaign, rule=Rule.ITEMISED)


@pytest.fixture
def alipay(listing: Listing) -> Alipay:
    return payers.alipay(listing)


@pytest.fixture
def wechat(listing: Listing) -> WechatPay:
    return payers.wechatpay(listing)
