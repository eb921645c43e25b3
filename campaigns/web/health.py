"""Whether the service is alive, and whether it is ready: for supervisors and load balancers."""

from flask import Blueprint, Flask

bp = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.get("/healthz")
def alive() -> dict[str, bool]:
    """Alive: this process answers. Says nothing of the database or the broker."""
    return {"alive": True}
