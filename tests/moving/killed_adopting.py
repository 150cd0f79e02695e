"""``killed_adopting.py URL NAME PLACE COUNT``: adopts the jobs at URL, and kills itself as `PLACE` ("module:Class.method") is called for the COUNT-th time.

NAME: of MongoDB's database.
"""

import importlib
import os
import signal
import sys

import mainspring

url, name, place, count = sys.argv[1:]
module, _, path = place.partition(":")
kind, method = path.split(".")
owner = getattr(importlib.import_module(module), kind)
called = getattr(owner, method)
left = int(count)


def killing(*args, **options):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return called(*args, **options)


# So that few jobs are many parts.
importlib.import_module("mainspring.jobstores.redis.adoption")._AT_ONCE = 20
in_mongodb = importlib.import_module("mainspring.jobstores.mongodb.adoption")
in_mongodb._AT_ONCE = 20
options = {"adopt": "always", "serializer": "pickle"}
if url.startswith("redis"):
    store = mainspring.RedisJobStore(url=url, **options)
elif url.startswith("mongodb"):
    store = mainspring.MongoDBJobStore(name, "mainspring_jobs", host=url, **options)
else:
    store = mainspring.SQLAlchemyJobStore(url, **options)
scheduler = mainspring.BackgroundScheduler(jobstores={"default": store}, timezone="Europe/Berlin")
setattr(owner, method, killing)
scheduler.start(paused=True)
print("it was not killed")
