"""The commands: `flask --app wsgi …`. An error is one sentence and exit code 1."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Add every command to the app."""
