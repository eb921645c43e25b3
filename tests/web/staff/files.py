"""Somebody at a desk hands in a file."""

from io import BytesIO
from typing import Any

from sqlalchemy import select
from werkzeug.test import TestResponse

from campaigns.db import db
from campaigns.model.imported import Import
from tests import bill
from tests.bill import Paid
from tests.web.staff.conftest import Desk
from workers.imports import work_on

THREE = [Paid(1, 10000, party="张三 (zs@example.org)", note="加油"), bill.fee(1, 60, line=2),
         Paid(9, 123450), bill.refund(1, 2000, line=4)]  # fmt: skip


def hand_in(at: Desk, content: bytes, name: str = "bill.csv", **more: Any) -> TestResponse:
    given = {"profile": "guess", "listing": "each", "mapping": ""} | more
    return at.post("/staff/imports", file=(BytesIO(content), name), **given)


def the_import() -> Import:
    return db.session.scalars(select(Import).order_by(Import.id.desc()).limit(1)).one()


def read(at: Desk, content: bytes, **more: Any) -> str:
    """Hand a file in and let a worker read it; the address of its page."""
    answer = hand_in(at, content, **more)
    assert answer.status_code == 302, answer.text
    work_on(the_import().id)
    db.session.expire_all()
    return str(answer.location)
