"""Machines without a time zone, without any zones, without a place to write to, and without, or with broken, libraries."""

from __future__ import annotations

import json
import sys

import pytest

from .programs import run, run_on_changed_machine

pytestmark = pytest.mark.one_python

WITHOUT_ZONE = """
mkdir "$PWD/etc" && cp -a /etc/. "$PWD/etc"
rm -f "$PWD/etc/localtime" "$PWD/etc/timezone"
mount --bind "$PWD/etc" /etc
unset TZ
"""
WITHOUT_ZONES = """
for folder in /usr/share/zoneinfo /usr/lib/zoneinfo /usr/share/lib/zoneinfo /etc/zoneinfo; do
  if [ -d "$folder" ]; then mount -t tmpfs none "$folder"; fi
done
"""
RUNS_A_JOB = """
import logging, sys, threading
logging.basicConfig()
from datetime import datetime
sys.modules["tzdata"] = None  # the package that has the zones where a machine has none
from mainspring import BackgroundScheduler
ran = threading.Event()
scheduler = BackgroundScheduler()
scheduler.start()
scheduler.add_job(ran.set, "cron", second="*")
print(ran.wait(30), datetime(2026, 7, 1, tzinfo=scheduler.timezone).tzname())
try:
    scheduler.add_job(print, "cron", hour=3, timezone="Europe/Berlin")
except Exception as error:
    print(f"{type(error).__name__}: {error}")
else:
    print("added")
scheduler.shutdown()
"""


def test_a_machine_without_a_time_zone_is_in_utc(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said, _ = run_on_changed_machine(tmp_path, WITHOUT_ZONE, RUNS_A_JOB)
    assert said.splitlines() == ["True UTC", "added"]


@pytest.mark.parametrize("without_zone", ["", WITHOUT_ZONE], ids=["a link to a zone", "no zone"])
def test_where_there_are_no_zones_it_says_where_to_get_them(tmp_path, monkeypatch, without_zone):
    monkeypatch.chdir(tmp_path)
    said, _ = run_on_changed_machine(tmp_path, without_zone + WITHOUT_ZONES, RUNS_A_JOB)
    ran, refused = said.splitlines()
    assert ran == "True UTC"
    assert "no time zone is named 'Europe/Berlin': this machine has none; pip install tzdata" in refused


READ_ONLY = """
mount --bind / / && mount -o remount,ro,bind /
for folder in /dev/shm /run; do mount -t tmpfs -o ro none "$folder"; done
cd /
"""
ON_A_READ_ONLY_DISK = """
import logging, sys, threading
logging.basicConfig()
from mainspring import BackgroundScheduler
ran = threading.Event()
scheduler = BackgroundScheduler()
scheduler.start()
scheduler.add_job(ran.set)
print(ran.wait(30))
scheduler.shutdown()
try:
    BackgroundScheduler({"apscheduler.jobstores.default": {"type": "sqlalchemy", "url": "sqlite:////var/new.sqlite"}}).start()
except Exception as error:
    print(error)
"""


def test_a_file_system_that_can_only_be_read(tmp_path):
    # the program is given by -c: the folder of the script is hidden
    said, logged = run_on_changed_machine(tmp_path, READ_ONLY, ON_A_READ_ONLY_DISK)
    ran, refused = said.splitlines()
    assert ran == "True"
    assert "(sqlite:////var/new.sqlite) can't be used" in refused
    assert (
        "the directory /var can't be written: give this user the permission, or name another file" in refused
    )
    assert "Traceback" not in logged


PARTS = {
    "mainspring.schedulers.twisted": ("twisted", "twisted"),
    "mainspring.schedulers.tornado": ("tornado", "tornado"),
    "mainspring.schedulers.gevent": ("gevent", "gevent"),
    "mainspring.schedulers.qt": ("PySide6 PyQt6", "qt"),
    "mainspring.executors.twisted": ("twisted", "twisted"),
    "mainspring.executors.gevent": ("gevent", "gevent"),
    "mainspring.jobstores.redis": ("redis", "redis"),
    "mainspring.jobstores.mongodb": ("pymongo bson", "mongodb"),
    "mainspring.jobstores.sqlalchemy": ("sqlalchemy", "sqlalchemy"),
    "mainspring.triggers.sun": ("astral", "sun"),
    "mainspring.ics": ("icalendar", "ics"),
}
USES = {
    "mainspring.triggers.sun": "module.SunTrigger(latitude=1, longitude=1)",
    "mainspring.ics": "module.IcsCalendar.from_text('BEGIN:VCALENDAR')",
}
#: Finds the libraries, and can't load them: as where a library of the system is missing.
BROKEN = """
import importlib, json, sys
parts, uses, is_broken = json.loads(sys.argv[1])
hidden = {name for names, _ in parts.values() for name in names.split()}

class Hides:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            if is_broken:
                raise ImportError("libodd.so.1: cannot open shared object file")
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hides())
said = {}
for part in parts:
    try:
        module = importlib.import_module(part)
        eval(uses.get(part, "None"))
    except ImportError as error:
        said[part] = [type(error).__name__, str(error)]
print(json.dumps(said))
"""


@pytest.mark.parametrize("is_broken", [False, True], ids=["missing", "broken"])
def test_a_part_says_what_it_lacks(is_broken):
    said, _ = run([sys.executable, "-c", BROKEN, json.dumps([PARTS, USES, is_broken])])
    said = json.loads(said)
    assert said.keys() == PARTS.keys()
    for part, (kind, text) in said.items():
        if is_broken:
            assert kind == "ImportError"
            assert "libodd.so.1: cannot open shared object file" in text
            assert "pip install" not in text
        else:
            assert kind == "ModuleNotFoundError"
            assert f'pip install "mainspring[{PARTS[part][1]}]"' in text
