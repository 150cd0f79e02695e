"""The tests that APScheduler and packages built on it ship pass under the alias, save for differences that are named.

They are none of ours, and are in no place of this tree: `scripts/install_original_tests.sh` fetches them, and runs them on the original.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "original_tests"))
from differences import KINDS, all_differences
from suites import HERE, SUITES

import servers

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(1000)]

DIFFERENCES = all_differences()
SHOWN = HERE / "shown"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            name,
            marks=[
                pytest.mark.xdist_group(f"tests of {name}"),
                *([pytest.mark.soak] if suite.is_slow else []),
            ],
        )
        for name, suite in SUITES.items()
    ],
)
def suite(request):
    found = SUITES[request.param]
    if not found.is_fetched:
        servers.missing(
            f"the tests of {found.name} {found.version} are not here (scripts/install_original_tests.sh fetches them)"
        )
    return found


@pytest.fixture(scope="module")
def there(suite):
    return {test for test, outcome in suite.outcomes_there().items() if outcome == "passed"}


@pytest.fixture(scope="module")
def found(suite, listed):
    hanging = [test for test, one in listed.items() if one.hangs]
    return suite.settled(under_the_alias=True, expected=listed, hanging=hanging)


@pytest.fixture(scope="module")
def here(found):
    return found.outcomes


@pytest.fixture(scope="module")
def listed(suite):
    return {test: one for one in DIFFERENCES if one.suite == suite.name for test in one.tests}


def test_what_passes_on_the_original_passes_here(suite, there, here, listed):
    failing = {test: here.get(test, "it wasn't run") for test in sorted(there) if here.get(test) != "passed"}
    unlisted = {test: outcome for test, outcome in failing.items() if test not in listed}
    assert not unlisted, "\n".join(
        [
            f"{len(unlisted)} tests of {suite.name} pass on the original and not here:",
            *(f"{test}\n    {outcome}" for test, outcome in unlisted.items()),
        ]
    )


def test_the_list_of_differences_only_has_what_differs(there, here, listed):
    passing = [test for test in listed if here.get(test) == "passed"]
    assert not passing, f"these pass: take them out of differences.toml: {passing}"
    unknown = [test for test in listed if test not in there]
    assert not unknown, (
        f"there are no such tests that pass there: take them out of differences.toml: {unknown}"
    )


def test_a_text_is_all_that_differs_where_the_list_says_so(found, listed):
    """And where it says something else, it isn't: what is relaxed is the text alone."""
    others = {
        test: found.relaxed[test] for test, one in listed.items() if not one.hangs and one.kind != "text"
    }
    texts = {test: found.relaxed[test] for test, one in listed.items() if one.kind == "text"}
    assert {test: outcome for test, outcome in texts.items() if outcome != "passed"} == {}
    assert [test for test, outcome in others.items() if outcome == "passed"] == []


PROGRAMS = [pytest.param(one, id=str(one.program)) for one in DIFFERENCES if one.program is not None]


@pytest.mark.parametrize("difference", PROGRAMS)
def test_a_program_shows_the_difference(difference):
    suite = SUITES[difference.suite]
    if not suite.is_fetched:
        servers.missing(
            f"{suite.name} {suite.version} is not here (scripts/install_original_tests.sh fetches it)"
        )
    program = SHOWN / difference.program
    assert suite.output_of(program, under_the_alias=False).strip() == difference.there.strip()
    assert suite.output_of(program, under_the_alias=True).strip() == difference.here.strip()


def test_every_program_is_of_a_difference():
    assert {one.program for one in DIFFERENCES if one.program} == {path.name for path in SHOWN.glob("*.py")}


def test_the_list_names_each_test_once():
    names = [(one.suite, test) for one in DIFFERENCES for test in one.tests]
    assert len(names) == len(set(names))
    assert {one.kind for one in DIFFERENCES} <= set(KINDS)
