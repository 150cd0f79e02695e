import functools
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mainspring.references import maybe_ref, obj_to_ref, ref_to_obj


@pytest.fixture
def module(monkeypatch):
    module = ModuleType("made_up")
    exec(
        """
import functools
class Class:
    def method(self): return "method"
    @classmethod
    def class_method(cls): return "class"
    @staticmethod
    def static(): return "static"
    class Inner:
        def method(self): pass
def plain(): return "plain"
def doubled(func):
    @functools.wraps(func)
    def wrapper(): return 2 * func()
    return wrapper
decorated = doubled(plain)
def outer():
    def inner(): pass
    return inner
""",
        module.__dict__,
    )
    monkeypatch.setitem(sys.modules, "made_up", module)
    return module


@pytest.mark.parametrize(
    "path", ["plain", "Class", "Class.class_method", "Class.static", "Class.Inner", "Class.Inner.method"]
)
def test_a_reference_gives_its_object_back(module, path):
    obj = functools.reduce(getattr, path.split("."), module)
    assert obj_to_ref(obj) == f"made_up:{path}"
    assert ref_to_obj(f"made_up:{path}") == obj


def test_a_bound_method_refers_to_the_function_of_its_class(module):
    assert obj_to_ref(module.Class().method) == "made_up:Class.method"


def test_bug_38_a_decorated_function_is_not_taken_for_the_plain_one(module):
    assert obj_to_ref(module.decorated) == "made_up:decorated"
    assert ref_to_obj("made_up:decorated")() == "plainplain"


def test_bug_38_a_decorated_function_without_a_name_of_its_own_has_no_reference(module):
    lost = module.doubled(module.plain)
    with pytest.raises(ValueError, match="no name of made_up is"):
        obj_to_ref(lost)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda module: lambda: None, "lambda"),
        (lambda module: module.outer(), "inside a function"),
        (lambda module: functools.partial(module.plain), "partial"),
    ],
)
def test_what_has_no_reference(module, make, words):
    with pytest.raises(ValueError, match=words):
        obj_to_ref(make(module))


@pytest.mark.parametrize(
    ("ref", "error", "words"),
    [
        (5, TypeError, "text"),
        ("os.path", ValueError, "colon"),
        (":x", ValueError, "expected 'package.module:name'"),
        ("no_such:x", LookupError, "importing 'no_such' failed"),
        ("os:no_such", LookupError, "no_such"),
    ],
)
def test_references_that_lead_nowhere(ref, error, words):
    with pytest.raises(error, match=words):
        ref_to_obj(ref)


def test_text_or_the_thing_itself():
    assert maybe_ref("os.path:join") is os.path.join
    assert maybe_ref(Path) is Path
