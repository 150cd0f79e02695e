"""A job whose function can't be found for a while: what reading it does."""

import logging
import sys
import tempfile
from types import ModuleType

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

logging.disable()
module = ModuleType("application")
exec("def work(): pass", vars(module))
sys.modules["application"] = module
work = module.work
scheduler = BackgroundScheduler(
    jobstores={"default": SQLAlchemyJobStore(f"sqlite:///{tempfile.mkdtemp()}/jobs.sqlite")}
)
scheduler.start(paused=True)
scheduler.add_job("application:work", "interval", hours=1, id="kept")
del module.work
scheduler.get_jobs()
module.work = work
print("once it is there again:", [job.id for job in scheduler.get_jobs()])
scheduler.shutdown()
