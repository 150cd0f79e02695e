"""Every way to import from APScheduler gives mainspring's own module objects, unharmed."""

from pathlib import Path

import pytest

import mainspring

ALIASED = "import mainspring.as_apscheduler\n"

# By their files: walking the packages would import them here.
_SOURCE = Path(mainspring.__path__[0])
MODULES = sorted(
    ".".join(("mainspring", *path.relative_to(_SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    for path in _SOURCE.rglob("*.py")
    if path.name not in {"as_apscheduler.py", "__main__.py"}
)


@pytest.mark.parametrize("alias_first", [True, False], ids=["by the alias first", "by its own name first"])
def test_every_module_is_one_object_under_both_names(python, alias_first):
    assert "mainspring.schedulers.base" in MODULES
    code = f"""
import mainspring.as_apscheduler, importlib, sys
for name in {MODULES}:
    alias = name.replace("mainspring", "apscheduler", 1)
    try:
        pair = [importlib.import_module(each) for each in ({"alias, name" if alias_first else "name, alias"})]
    except ModuleNotFoundError as error:
        # An adapter's library is not installed. That is what it must be about.
        assert not error.name.startswith(("mainspring", "apscheduler")), error
        continue
    assert pair[0] is pair[1] is sys.modules[alias] is sys.modules[name], name
    assert pair[0].__name__ == pair[0].__spec__.name == name, (pair[0].__name__, pair[0].__spec__)
    assert "Alias" not in type(pair[0].__loader__).__name__
    parent, _, child = alias.rpartition(".")
    assert not parent or getattr(sys.modules[parent], child) is pair[0]
print("all the same")
"""
    assert python("-c", code).stdout == "all the same\n"


@pytest.mark.parametrize(
    "statement",
    [
        "import apscheduler; import mainspring; found, own = apscheduler, mainspring",
        "from apscheduler import events as found; import mainspring.events as own",
        "import apscheduler.events; import mainspring.events as own; found = apscheduler.events",
        "import apscheduler.schedulers.blocking as found; import mainspring.schedulers.blocking as own",
        "from apscheduler.schedulers import background as found; import mainspring.schedulers.background as own",
        "from apscheduler.jobstores.base import JobLookupError as found; from mainspring.errors import JobLookupError as own",
        "from apscheduler.triggers.cron import *; import mainspring.triggers.cron as m; found = own = m.CronTrigger",
        "import importlib; found = importlib.import_module('.cron.fields', 'apscheduler.triggers')\n"  # noqa: ISC004
        "import mainspring.triggers.cron.fields as own",
        "found = __import__('apscheduler.triggers.cron.fields'); import mainspring as own",
    ],
)
def test_every_form_of_import(python, statement):
    assert python("-c", f"{ALIASED}{statement}\nprint(found is own)").stdout == "True\n"


def test_an_installed_apscheduler_is_not_touched(python, installed_apscheduler):
    code = ALIASED + "import apscheduler, apscheduler.events, mainspring.events\n"
    code += "print(apscheduler is mainspring, apscheduler.events is mainspring.events)"
    assert python("-c", code, path=[installed_apscheduler]).stdout == "True True\n"
    # The stand-in for an installed one is found without the alias, so the line above means something.
    assert python("-c", "import apscheduler", path=[installed_apscheduler]).stdout == "the installed one\n"


@pytest.mark.parametrize("module", ["apscheduler", "apscheduler.events"])
def test_too_late_is_said(python, installed_apscheduler, module):
    done = python("-c", f"import {module}\n{ALIASED}", path=[installed_apscheduler], expect=1)
    assert "import mainspring.as_apscheduler before anything that imports apscheduler" in done.stderr
    assert str(installed_apscheduler / "apscheduler" / "__init__.py") in done.stderr


def test_putting_the_alias_in_place_again_changes_nothing(python):
    code = ALIASED + (
        "import sys, importlib, apscheduler.events\n"
        "before = list(sys.meta_path)\n"
        "importlib.reload(mainspring.as_apscheduler)\n"
        "print(sys.meta_path == before)"
    )
    assert python("-c", code).stdout == "True\n"


def test_a_module_can_be_reloaded(python):
    code = ALIASED + (
        "import importlib, apscheduler.events as events, sys, mainspring\n"
        "again = importlib.reload(events)\n"
        "print(again is events is sys.modules['mainspring.events'], again.__spec__.name)"
    )
    assert python("-c", code).stdout == "True mainspring.events\n"


def test_nothing_is_loaded_before_it_is_asked_for(python):
    code = ALIASED + (
        "import sys\n"
        "print(sorted(m for m in sys.modules if m.startswith(('mainspring.', 'apscheduler'))))\n"
        "print({'sqlalchemy', 'tzlocal', 'asyncio', 'concurrent.futures'} & set(sys.modules))"
    )
    loaded, outside = python("-c", code).stdout.splitlines()
    assert not any(
        part in loaded for part in ("schedulers", "triggers", "jobstores", "executors", "'apscheduler")
    )
    assert outside == "set()"


@pytest.mark.parametrize(
    "statement",
    [
        "import apscheduler.jobstores.zookeeper",
        "from apscheduler.jobstores.zookeeper import ZooKeeperJobStore",
        "from apscheduler.jobstores import zookeeper",
    ],
)
def test_a_module_that_mainspring_lacks_is_named_with_what_to_do(python, statement):
    code = f"{ALIASED}try:\n    {statement}\nexcept ModuleNotFoundError as error:\n    print(error.name); print(error)"
    name, message = python("-c", code).stdout.splitlines()
    assert name == "apscheduler.jobstores.zookeeper"
    assert "mainspring stands in for APScheduler here" in message
    assert "jobstores has" in message
    assert "memory" in message
    assert "without the alias" in message


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("schedulers.backgroud", "schedulers.background"), ("event", "events"), ("trigers.cron", "triggers")],
)
def test_a_misspelt_module_is_answered_with_the_nearest(python, wrong, right):
    done = python("-c", f"{ALIASED}import apscheduler.{wrong}", expect=1)
    assert f"did you mean apscheduler.{right}?" in done.stderr


def test_packages_that_only_begin_alike_are_left_alone(python, tmp_path):
    (tmp_path / "apscheduler_extras.py").write_text("mark = 1")
    assert python("-c", ALIASED + "import apscheduler_extras; print(apscheduler_extras.mark)").stdout == "1\n"
    done = python("-c", ALIASED + "import mainspring.nothing", expect=1)
    assert "No module named 'mainspring.nothing'" in done.stderr


def test_find_spec_says_that_modules_are_there_without_loading_them(python):
    code = ALIASED + (
        "import importlib.util, sys\n"
        "print(importlib.util.find_spec('apscheduler.events').origin, 'mainspring.events' in sys.modules)"
    )
    origin, loaded = python("-c", code).stdout.split()
    assert Path(origin) == Path(mainspring.__path__[0]) / "events.py"
    assert loaded == "False"


def test_threads_that_import_at_once_get_the_same_modules(python):
    # No submodule that its own package imports is among them: CPython finds a deadlock where two threads import a package
    # and such a submodule at once, with or without the alias.
    code = (
        ALIASED
        + """
import importlib, sys, threading
names = ["schedulers.background", "triggers.cron", "executors.pool", "jobstores.memory", "events"]
barrier, got = threading.Barrier(20), []
def load(name):
    barrier.wait()
    module = importlib.import_module(name)
    got.append((name, id(module), module.__spec__.name))
threads = [threading.Thread(target=load, args=(f"{top}.{name}",))
           for name in names for top in ("apscheduler", "mainspring") for _ in range(2)]
[t.start() for t in threads]; [t.join() for t in threads]
assert len(got) == 20
assert len({identity for _, identity, _ in got}) == 5
assert all(spec.startswith("mainspring.") for *_, spec in got)
print("fine")
"""
    )
    assert python("-c", code).stdout == "fine\n"


def test_pickles_that_name_apschedulers_modules_are_read(python):
    # Protocol 0 is text: two globals, as an APScheduler job store has them in its rows.
    code = (
        ALIASED
        + """
import pickle
from mainspring.triggers.cron import fields
from mainspring.triggers.cron import CronTrigger
print(pickle.loads(b"capscheduler.triggers.cron.fields\\nBaseField\\n.") is fields.BaseField)
print(pickle.loads(b"capscheduler.triggers.cron\\nCronTrigger\\n.") is CronTrigger)
again = pickle.loads(pickle.dumps(CronTrigger(minute="*/5", timezone="UTC")))
print(type(again) is CronTrigger)
"""
    )
    assert python("-c", code).stdout.split() == ["True"] * 3


def test_the_alias_runs_jobs(python):
    code = (
        ALIASED
        + """
import threading
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.events import EVENT_JOB_EXECUTED
ran = threading.Event()
scheduler = BackgroundScheduler()
scheduler.add_listener(lambda event: ran.set(), EVENT_JOB_EXECUTED)
scheduler.add_job(print, args=["ran"])
scheduler.start()
assert ran.wait(20)
scheduler.shutdown()
"""
    )
    assert python("-c", code).stdout == "ran\n"


def test_the_package_alone_changes_nothing(python):
    code = "import sys; import mainspring.alias, mainspring.alias.finders, mainspring.alias.runner\n"
    code += "import importlib.util; print(importlib.util.find_spec('apscheduler'), mainspring.__version__ != mainspring.version)"
    assert python("-c", code).stdout == "None True\n"
