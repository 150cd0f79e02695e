"""A plugin of pytest for tests that aren't ours: writes down what has become of each, and can let the text of messages be any."""

from __future__ import annotations

import builtins
import json
import re
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

#: Of a test of which it is known that it waits for ever here.
HANGS_SECONDS = 3


def pytest_addoption(parser):
    parser.addoption("--outcomes", help="where to write what has become of each test, as JSON")
    parser.addoption("--only", help="a file with the ids of the tests to be run")
    parser.addoption(
        "--relaxed-too", help="a file with the ids of tests that, failing, run once more with any texts"
    )
    parser.addoption("--hanging", help="a file with the ids of tests that wait for what never comes")


def pytest_configure(config):
    config.pluginmanager.register(RelaxedTexts(_ids(config, "relaxed_too")))
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(Path(config.getoption("outcomes"))))


def _ids(config, option):
    path = config.getoption(option)
    return frozenset(Path(path).read_text().splitlines()) if path else frozenset()


def pytest_collection_modifyitems(config, items):
    if config.getoption("only"):
        only = _ids(config, "only")
        items[:] = [item for item in items if item.nodeid in only]
    hanging = _ids(config, "hanging")
    for item in items:
        if item.nodeid in hanging:
            item.add_marker(pytest.mark.timeout(HANGS_SECONDS))


class Outcomes:
    def __init__(self, path):
        self._path = path
        self._found = {}
        self._relaxed = {}

    def pytest_runtest_logreport(self, report):
        known = self._found.get(report.nodeid)
        if report.failed:
            self._found[report.nodeid] = _shown(report)
        elif report.skipped:
            self._found.setdefault(report.nodeid, "skipped")
        elif report.when == "call" and known is None:
            self._found[report.nodeid] = "passed"
        self._relaxed.update(
            (report.nodeid, value) for name, value in report.user_properties if name == "relaxed"
        )

    def pytest_sessionfinish(self):
        found = {"outcomes": dict(sorted(self._found.items())), "relaxed": self._relaxed}
        self._path.write_text(json.dumps(found))


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
    """Runs tests that have failed once more, with any texts, and says in their reports what has become of that."""

    def __init__(self, ids):
        self._ids = ids
        self._is_relaxed = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        if item.nodeid not in self._ids:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if any(report.failed for report in reports):
            relaxed = self._once_more(item, nextitem)
            for report in reports:
                report.user_properties.append(("relaxed", relaxed))
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _once_more(self, item, nextitem):
        item._initrequest()
        self._is_relaxed = True
        try:
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
        finally:
            self._is_relaxed = False
        return next((_shown(report) for report in reports if report.failed), "passed")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        if not self._is_relaxed:
            return (yield)
        with pytest.MonkeyPatch.context() as patches:
            patches.setattr(item.module, "str", _RelaxedStr, raising=False)
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
