"""The rooms: the app without its doors, all that a worker needs to run verbs and write letters."""

import importlib
import pkgutil
from pathlib import Path

from flask import Flask
from flask.json.provider import DefaultJSONProvider

import campaigns.model
from campaigns.db import db, engine_options, prepare
from campaigns.web import format, language
from campaigns.web.staff import reasons
from config import Settings

ROOT = Path(__file__).resolve().parent.parent


class PlainJSON(DefaultJSONProvider):
    """JSON as people read it: members in the order they were written, Chinese as Chinese."""

    sort_keys = False
    ensure_ascii = False


def create_rooms(settings: Settings, kind: type[Flask] = Flask) -> Flask:
    """An app with settings, database, languages and what templates of letters ask for.

    Connects to nothing; each call builds another app. It answers no requests until somebody adds
    doors (`campaigns.app`), whose pages and libraries take a process 30 MB and a second to load.
    """
    app = kind(
        "campaigns",
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
        instance_path=str(settings.instance_dir),
    )
    app.extensions["settings"] = settings
    app.json = PlainJSON(app)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url),
    )
    _connect(app)
    for spoken in (language, format, reasons):
        spoken.init_app(app)
    return app


def _connect(app: Flask) -> None:
    # Every noun is imported, so that foreign keys between files find their tables.
    for module in pkgutil.iter_modules(campaigns.model.__path__):
        importlib.import_module(f"campaigns.model.{module.name}")
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
