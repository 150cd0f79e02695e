"""What `make mutants` makes of what mutmut says; mutmut itself takes minutes, and isn't run here."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_python

CHECKOUT = Path(__file__).resolve().parents[1]
_SPEC = importlib.util.spec_from_file_location("mutants", CHECKOUT / "scripts" / "mutants.py")
mutants = importlib.util.module_from_spec(_SPEC)
sys.path.insert(0, str(CHECKOUT / "scripts"))
_SPEC.loader.exec_module(mutants)
mutant_runs = sys.modules["mutant_runs"]

NAME = "mainspring.engine.grouping.xǁGroupBookǁtake__mutmut_10"
MUTATED = """\
class GroupBook:
    def take(self, name):
        return mutmut.called(self, "take", name)

    @staticmethod
    def xǁGroupBookǁtake__mutmut_orig(self, name):
        if name is None:
            return
        self._running[name] = 0 + 1

    def xǁGroupBookǁtake__mutmut_10(self, name):
        if name is None:
            return
        self._running[name] = 1 + 1

    def xǁGroupBookǁtake__mutmut_11(self, name):
        if name is not None:
            return
        self._running[name] = 0 + 1
"""
FUNCTION = "mainspring.engine.grouping.GroupBook.take"
CHANGE = mutants.Mutant(FUNCTION, "self._running[name] = 0 + 1", "self._running[name] = 1 + 1")


@pytest.mark.parametrize(
    ("name", "function"),
    [
        (NAME, FUNCTION),
        ("mainspring.engine.due.x_due_times__mutmut_4", "mainspring.engine.due.due_times"),
        ("mainspring.engine.retrying.x__share__mutmut_5", "mainspring.engine.retrying._share"),
        ("mainspring.retry.xǁRetryǁ__post_init____mutmut_1", "mainspring.retry.Retry.__post_init__"),
    ],
)
def test_the_function_of_a_mutant(name, function):
    assert mutants.function_of(name) == function


SOURCE = """\
class GroupBook:
    @overload
    def take(self, name: str) -> None: ...

    def take(self, name):
        if name is None:
            return
        self._running[name] = 0 + 1

    def other(self):
        pass
"""


def test_a_change_of_a_trigger_is_put_into_the_file_in_the_place_of_its_function():
    text = mutants.texts_of(MUTATED)[NAME.rpartition(".")[2]]
    changed = mutant_runs.changed(SOURCE, "GroupBook.take", text)
    assert changed == SOURCE.replace("0 + 1", "1 + 1")


def test_the_tests_of_a_change_are_those_that_call_its_function_the_fastest_first():
    taking = ("mainspring/engine/grouping.py", 6)
    calls = {
        "": mutant_runs.Calls(1.0, frozenset({("mainspring/engine/grouping.py", 99)})),
        "a": mutant_runs.Calls(0.5, frozenset({taking})),
        "b": mutant_runs.Calls(0.1, frozenset({taking, ("mainspring/retry.py", 1)})),
        "c": mutant_runs.Calls(0.1, frozenset()),
    }
    assert mutant_runs.tests_of(taking, calls) == ["b", "a"]
    assert mutant_runs.tests_of(("mainspring/engine/grouping.py", 99), calls) == ["b", "c", "a"]
    assert mutant_runs.tests_of(("mainspring/engine/grouping.py", 7), calls) == []


PROJECT = {
    "src/small.py": "def double(number):\n    return number * 2\n\n\ndef unused():\n    return 1\n",
    "tests/test_small.py": "import small\n\n\ndef test_double():\n    assert small.double(2) == 4\n",
}


def test_a_change_is_run_by_its_tests_and_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    calls = mutant_runs.recorded(tmp_path, ["tests"])
    bench = mutant_runs.Bench(tmp_path, calls, 2)
    bodies = {
        "noticed": "return number * 3",
        "not noticed": "return number + 2",
        "endless": "while True: pass",
    }
    changes = {
        name: mutant_runs.Change("small.py", "double", f"def double(number):\n    {body}")
        for name, body in bodies.items()
    }
    changes["never called"] = mutant_runs.Change("small.py", "unused", "def unused():\n    return 2")
    monkeypatch.setattr(mutant_runs, "_SECONDS_MORE", 2)
    assert bench.statuses(changes) == {
        "noticed": "killed",
        "not noticed": "survived",
        "endless": "killed",
        "never called": "no tests",
    }
    assert {path.read_text() for path in tmp_path.glob("source-*/small.py")} == {PROJECT["src/small.py"]}


def test_a_change_is_known_by_its_lines():
    assert mutants.mutants_of("mainspring.engine.grouping", MUTATED) == {
        NAME: CHANGE,
        NAME.replace("_10", "_11"): mutants.Mutant(FUNCTION, "if name is None:", "if name is not None:"),
    }


def test_a_reason_belongs_to_a_change_wherever_that_stands_now():
    text = f"""
[[survivor]]
function = "{FUNCTION}"
was = "    {CHANGE.removed}"
is = '''
  {CHANGE.added}
'''
why = "because"
"""
    assert mutants.explanations(text) == {CHANGE: "because"}


def made(*changed_functions):
    """Ten mutants of each of ten functions, by names as mutmut gives them; the first mutant of those named is another."""
    return {
        f"mainspring.a.x_f{function}__mutmut_{number}": mutants.Mutant(
            f"mainspring.a.f{function}",
            "x = 0",
            f"x = {-number if function in changed_functions else number}",
        )
        for function in range(10)
        for number in range(1, 11)
    }


def test_the_same_seed_draws_the_same():
    drawn = mutants.drawn(made(), 10, 1)
    assert drawn == mutants.drawn(dict(reversed(made().items())), 10, 1) != mutants.drawn(made(), 10, 2)
    assert len(set(drawn)) == 10
    assert mutants.drawn(made(), None, 1) == mutants.drawn(made(), 1000, 1) == sorted(made())


def test_an_edit_of_one_function_leaves_what_is_drawn_of_the_others():
    before, after = (set(mutants.drawn(one, 50, 1)) for one in (made(), made(3)))
    of_others = [{name for name in drawn if "f3__" not in name} for drawn in (before, after)]
    assert before != after
    # Filled up, or cut off, and nothing else.
    assert of_others[0] <= of_others[1] or of_others[1] <= of_others[0]


def test_what_comes_before_a_mutant_of_its_function_does_not_change_whether_it_is_drawn():
    renumbered = {f"{name}1": change for name, change in made().items()}
    assert mutants.drawn(renumbered, 30, 1) == [f"{name}1" for name in mutants.drawn(made(), 30, 1)]


@pytest.mark.parametrize(
    ("killed", "reasons", "is_good"),
    [
        (9, {CHANGE: "because"}, True),
        (9, {}, False),
        (8, {CHANGE: "because"}, False),  # under nine in ten: the second survivor is the same change
        (9, {CHANGE._replace(added="another"): "because"}, False),
    ],
    ids=["explained", "not explained", "too many", "another is explained"],
)
def test_the_verdict(killed, reasons, is_good):
    statuses = {f"mainspring.a.x_f__mutmut_{number}": "killed" for number in range(killed)}
    survivors = {NAME.replace("_10", f"_{number}"): "survived" for number in range(10 - killed)}
    lines, good = mutants.verdict({**statuses, **survivors}, dict.fromkeys(survivors, CHANGE), reasons)
    assert good is is_good
    assert lines[-1].startswith(f"10 mutants: {killed} killed, {10 - killed} survived")
    assert ("NOT EXPLAINED" in "\n".join(lines)) is (CHANGE not in reasons)


def test_what_never_ends_and_what_no_test_calls_is_noticed_by_no_test():
    names = ["mainspring.a.x_f__mutmut_1", NAME]
    for status, ending in (("timeout", "(2 of which did not come to an end)"), ("no tests", "(0 of which")):
        lines, good = mutants.verdict(
            dict.fromkeys(names, status), dict.fromkeys(names, CHANGE), {CHANGE: "because"}
        )
        assert not good
        assert ending in lines[-1]


def test_what_did_not_end_in_time_gets_more_than_any_test_may_take():
    configured = tomllib.loads(mutants.patient((CHECKOUT / "pyproject.toml").read_text()))["tool"]
    mutmut = configured["mutmut"]
    most = mutmut["timeout_constant"] * mutmut["timeout_multiplier"]
    assert most > configured["pytest"]["ini_options"]["timeout"]


def test_every_reason_is_about_a_function_that_is_there():
    text = mutants.EXPLANATIONS.read_text()
    assert len(mutants.explanations(text)) == len(tomllib.loads(text).get("survivor", [])), (
        "one is there twice"
    )
    for change in mutants.explanations(text):
        parts = change.function.split(".")
        paths = [CHECKOUT / "src" / Path(*parts[:end]).with_suffix(".py") for end in (-1, -2)]
        (path,) = [path for path in paths if path.exists()]
        assert f"def {parts[-1]}(" in path.read_text(), change.function


def test_the_tests_that_are_to_notice_are_there():
    configured = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["mutmut"]
    paths = [one for one in configured["pytest_add_cli_args_test_selection"] if one.startswith("tests/")]
    assert paths
    assert not [path for path in paths if not (CHECKOUT / path).exists()]
