"""Looking into a job store, and changing what is in it, without starting a scheduler.

What the command line, programs and dashboards ask is asked here, and nowhere else: `Admin` opens a store by its URL, lists jobs, runs, nodes
and groups as values that don't change (`views`), and has the switches: pause, resume, run, cancel, remove. It shows nothing by itself, is no node
of the store, and creates nothing in the database.

Start with `administration.py`; what is shown of what is in `views.py`.
"""

from mainspring.admin.administration import Admin
from mainspring.admin.charting import PeriodView
from mainspring.admin.explanation import Explanation
from mainspring.admin.views import AuditView, DueTime, GroupView, JobView, NodeView, Page, RunView

__all__ = [
    "Admin",
    "AuditView",
    "DueTime",
    "Explanation",
    "GroupView",
    "JobView",
    "NodeView",
    "Page",
    "PeriodView",
    "RunView",
]
