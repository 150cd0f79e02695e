"""An app of Celery's, with tasks."""

from celery import Celery
from celery.schedules import crontab

app = Celery("tasks", broker="memory://")


@app.task
def add(x, y):
    return x + y


@app.task(name="named", bind=True)
def named(self, text):
    return f"{self.name} {text}"


app.conf.beat_schedule = {
    "add": {
        "task": "tasks.add",
        "schedule": 30.0,
        "args": (1, 2),
        "options": {"queue": "slow", "expires": 15},
    },
    "named": {"task": "named", "schedule": crontab(hour=3), "kwargs": {"text": "x"}},
}
