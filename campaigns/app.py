"""The web application, put together: the rooms, migrations, and all doors for people."""

from flask import Flask
from flask_migrate import Migrate

from campaigns.db import db
from campaigns.rooms import ROOT, create_rooms
from campaigns.web import (
    assets,
    bodies,
    claim,
    errors,
    feeds,
    follow,
    guards,
    health,
    mailhooks,
    newsletter,
    pictures,
    preferences,
    public,
    recent,
    unsubscribe,
    webhooks,
)
from campaigns.web.staff import door as staff
from config import Settings

# In this order: guards stand before all others.
DOORS = (
    guards, bodies, errors, assets, recent, health, public, feeds, follow, claim, newsletter,
    pictures, preferences, unsubscribe, staff, webhooks, mailhooks,
)  # fmt: skip
# The largest body any page takes; doors with smaller ones say so themselves.
LARGEST_BODY = 2 * 1024 * 1024


def create_app(settings: Settings) -> Flask:
    """Build the app from checked settings. Connects to nothing; each call builds another app."""
    app = create_rooms(settings, guards.App)
    app.config.update(
        SECRET_KEY=settings.secret_keys[0],
        SECRET_KEY_FALLBACKS=list(settings.secret_keys[1:]),
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure or not settings.embedded,
    )
    Migrate(app, db, directory=str(ROOT / "migrations"), compare_type=True)
    for door in DOORS:
        door.init_app(app)
    return app
