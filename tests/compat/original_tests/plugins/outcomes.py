"""A plugin of pytest for tests that aren't ours: writes down what has become of each, and can let the text of messages be any."""

from __future__ import annotations

import builtins
import json
import re
from pathlib import Path

import pytest


def pytest_addoption(parser):
    parser.addoption("--outcomes", help="where to write what has become of each test, as JSON")
    parser.addoption("--only", help="a file with the ids of the tests to be run")
    parser.addoption("--relax-texts", action="store_true", help="let the texts of exceptions be any")


def pytest_configure(config):
    if config.getoption("--relax-texts"):
        config.pluginmanager.register(RelaxedTexts())
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(Path(config.getoption("--outcomes"))))


def pytest_collection_modifyitems(config, items):
    only = config.getoption("--only")
    if only is not None:
        ids = set(Path(only).read_text().splitlines())
        items[:] = [item for item in items if item.nodeid in ids]


class Outcomes:
    def __init__(self, path):
        self._path = path
        self._found = {}

    def pytest_runtest_logreport(self, report):
        known = self._found.get(report.nodeid)
        if report.failed:
            self._found[report.nodeid] = _shown(report)
        elif report.skipped:
            self._found.setdefault(report.nodeid, "skipped")
        elif report.when == "call" and known is None:
            self._found[report.nodeid] = "passed"

    def pytest_sessionfinish(self):
        self._path.write_text(json.dumps(dict(sorted(self._found.items()))))


def _shown(report):
    """The line of a failure that says what it is."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    return f"{report.when}: {' '.join(text.split())[:300]}"


class AnyText(str):
    """A message of which nothing is asked."""

    __slots__ = ()

    def __eq__(self, other):
        return isinstance(other, str)

    def __ne__(self, other):
        return not self == other

    def __contains__(self, part):
        return True

    def startswith(self, *_):
        return True

    def endswith(self, *_):
        return True

    __hash__ = str.__hash__


class _TextType(type):
    def __instancecheck__(cls, value):
        return isinstance(value, builtins.str)


class _RelaxedStr(str, metaclass=_TextType):
    """`str` as a test module sees it: that of an exception equals any text."""

    __slots__ = ()

    def __new__(cls, value="", *more):
        if isinstance(value, BaseException):
            return AnyText(value)
        return builtins.str(value, *more)


class RelaxedTexts:
    def pytest_runtest_setup(self, item):
        item.module.str = _RelaxedStr

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        with pytest.MonkeyPatch.context() as patches:
            patches.setattr(pytest.ExceptionInfo, "match", lambda *_: True)
            patches.setattr(pytest, "raises", _raises_any(pytest.raises))
            for name, value in list(vars(item.module).items()):
                if value is _ORIGINAL_RAISES:
                    patches.setattr(item.module, name, pytest.raises)
            return (yield)


_ORIGINAL_RAISES = pytest.raises


def _raises_any(raises):
    def raises_any(*arguments, match=None, **options):
        if match is not None:
            re.compile(match)
        return raises(*arguments, **options)

    return raises_any
