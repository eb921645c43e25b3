"""A partner that posts its donations to an endpoint of ours."""

import pytest
from flask import Flask

from campaigns.model.listing import Listing, Rule
from tests import make
from tests.partner import Partner, partner


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing(rule=Rule.ITEMISED)


@pytest.fixture
def lianquan(listing: Listing) -> Partner:
    return partner(listing, "lianquan")
