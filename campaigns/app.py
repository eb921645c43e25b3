"""The web application, put together: settings, extensions, blueprints, commands."""

import importlib
import pkgutil
from pathlib import Path

from flask import Flask
from flask.json.provider import DefaultJSONProvider
from flask_migrate import Migrate

import campaigns.model
from campaigns.db import db, engine_options, prepare
from campaigns.web import (
    assets,
    bodies,
    errors,
    feeds,
    follow,
    format,
    guards,
    health,
    language,
    mailhooks,
    newsletter,
    public,
    recent,
    unsubscribe,
    webhooks,
)
from campaigns.web.staff import door as staff
from config import Settings

ROOT = Path(__file__).resolve().parent.parent
# In this order: guards and language stand before all others.
DOORS = (
    guards, bodies, language, format, errors, assets, recent, health, public, feeds, follow,
    newsletter, unsubscribe, staff, webhooks, mailhooks,
)  # fmt: skip
# The largest body any page takes; doors with smaller ones say so themselves.
LARGEST_BODY = 2 * 1024 * 1024


class PlainJSON(DefaultJSONProvider):
    """JSON as people read it: members in the order they were written, Chinese as Chinese."""

    sort_keys = False
    ensure_ascii = False


def create_app(settings: Settings) -> Flask:
    """Build the app from checked settings. Connects to nothing; each call builds another app."""
    app = guards.App(
        "campaigns",
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
        instance_path=str(settings.instance_dir),
    )
    app.extensions["settings"] = settings
    app.json = PlainJSON(app)
    app.config.update(
        SECRET_KEY=settings.secret_keys[0],
        SECRET_KEY_FALLBACKS=list(settings.secret_keys[1:]),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url),
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure or not settings.embedded,
    )
    _connect(app)
    for door in DOORS:
        door.init_app(app)
    return app


def _connect(app: Flask) -> None:
    # Every noun is imported, so that foreign keys between files find their tables.
    for module in pkgutil.iter_modules(campaigns.model.__path__):
        importlib.import_module(f"campaigns.model.{module.name}")
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"), compare_type=True)
    with app.app_context():
        prepare(db.engine)
