"""Names that programs import from modules of APScheduler which happen to have them."""

from __future__ import annotations

from importlib import import_module

import pytest

from mainspring import former_names


@pytest.mark.parametrize("module", former_names._HOMES)
def test_each_name_is_there(module):
    pytest.importorskip(module)
    found = import_module(module)
    for name in former_names._HOMES[module]:
        assert getattr(found, name) is not None


@pytest.mark.parametrize(
    ("module", "name", "home"),
    [
        ("jobstores.sqlalchemy", "BaseJobStore", "mainspring.jobstores.base"),
        ("jobstores.sqlalchemy", "create_engine", "sqlalchemy"),
        ("jobstores.memory", "JobLookupError", "mainspring.jobstores.base"),
        ("triggers.cron", "DayOfMonthField", "mainspring.triggers.cron.fields"),
        ("triggers.date", "BaseTrigger", "mainspring.triggers.base"),
        ("util", "ZoneInfo", "zoneinfo"),
        ("schedulers.base", "get_localzone", "mainspring.schedulers.base"),
    ],
)
def test_they_are_what_they_are_at_home(module, name, home):
    assert getattr(import_module(f"mainspring.{module}"), name) is getattr(import_module(home), name)


def test_a_name_that_was_never_there_is_missing_as_elsewhere():
    with pytest.raises(AttributeError, match=r"module .mainspring\.util. has no attribute 'nothing'"):
        import_module("mainspring.util").nothing
    with pytest.raises(ImportError, match="nothing"):
        from mainspring.jobstores.memory import nothing  # noqa: F401
