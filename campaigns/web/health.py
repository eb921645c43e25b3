"""Whether the service is alive, and whether it is ready: for supervisors and load balancers."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Flask

from campaigns import readiness

bp = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.get("/healthz")
def alive() -> dict[str, bool]:
    """Alive: this process answers. Says nothing of the database or the broker."""
    return {"alive": True}


@bp.get("/readyz")
def ready() -> tuple[dict[str, Any], int]:
    """Ready: every part does its work; else 503. The only page that speaks to the broker.

    A load balancer that shares out visitors should ask `/healthz`: with the broker gone, pages,
    webhooks and forms still work (promise P7).
    """
    parts = readiness.of(datetime.now(UTC))
    whole = all(part.ok for part in parts.values())
    seen = {name: {"ok": part.ok, **part.seen} for name, part in parts.items()}
    return {"ready": whole, **seen}, 200 if whole else 503
