"""The plainest way to ask listings: a task of Celery for each; `-A bench._celery_polling`."""

import requests
from celery import Celery

from bench._plain_polling import TASK, keep
from campaigns.app import create_app
from config import environment, load

flask = create_app(load())
app = Celery("bench", broker=environment()["BROKER_URL"], task_ignore_result=True)


@app.task(name=TASK)  # type: ignore[untyped-decorator]
def ask(listing: int, url: str) -> None:
    with flask.app_context():
        answer = requests.get(url, timeout=10).json()
        keep(listing, int(answer["raised"].replace(".", "")))
