"""A partner who posts signed notices: bodies, signatures, and the endpoint they go to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from flask.testing import FlaskClient
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from campaigns import endpoints
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing
from tests.make import NOON

numbers = count(1)
TYPES = {
    "donation": "donation.succeeded",
    "refund": "donation.refunded",
    "chargeback": "donation.charged_back",
    "match": "match.confirmed",
}


@dataclass(frozen=True)
class Partner:
    """Signs with one endpoint's secret."""

    name: str
    secret: str

    def headers(self, body: bytes, event_id: str, at: datetime | None = None) -> dict[str, str]:
        at = at or datetime.now(UTC)
        return {
            "Content-Type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(event_id, at, body.decode()),
        }

    def post(
        self, client: FlaskClient, body: bytes, event_id: str | None = None, **more: Any
    ) -> TestResponse:
        headers = self.headers(body, event_id or f"evt-{next(numbers)}", more.pop("at", None))
        return client.post(
            f"/webhooks/{self.name}", data=body, headers=headers | more.pop("headers", {}), **more
        )


def partner(bounds: Campaign | Listing, name: str | None = None) -> Partner:
    made = endpoints.create(name or f"partner-{next(numbers)}", "standard", bounds, NOON)
    db.session.commit()
    return Partner(made.endpoint.name, made.secret)


def body(
    kind: str = "donation",
    external_id: str | None = None,
    amount: str = "10.50",
    *,
    at: datetime = NOON,
    donor: Mapping[str, Any] | None = None,
    **data: Any,
) -> bytes:
    """A notice of money; what is not given is left out, as senders do."""
    told: dict[str, Any] = {
        "external_id": external_id or f"LQ-{next(numbers):06}",
        "amount": amount,
        "currency": "CNY",
        **data,
    }
    if donor is not None:
        told["donor"] = dict(donor)
    post = {
        "type": TYPES.get(kind, kind),
        "timestamp": at.isoformat(),
        "data": told,
    }
    return json.dumps(post, ensure_ascii=False).encode()
