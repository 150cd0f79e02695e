"""Breaks the code on which safety rests, one small change at a time, and counts which of the changes no test notices.

mutmut makes the changes ("mutants") and runs the tests against each: those that call the changed function, the fastest first. This draws some of
all the mutants by a seed, and compares those that survive with `tests/mutants/survivors.toml`, where each has its reason. It fails if less than
nine in ten are killed, or a survivor has no reason.

The work is done in a folder of its own: the checkout stays as it is. What is changed of the engine, and by which tests, says ``[tool.mutmut]`` in
`pyproject.toml`. Why mutmut, says `docs/decisions/0017-mutants.md`; why mutants of the triggers are made by it and run by `mutant_runs.py`, decision 55.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from difflib import unified_diff
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mutant_runs import Bench, Change, recorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHECKOUT = Path(__file__).resolve().parents[1]
EXPLANATIONS = CHECKOUT / "tests" / "mutants" / "survivors.toml"
LEAST_KILLED = 0.9
#: What mutmut says of mutants that tests have noticed.
KILLED = {"killed", "segfault", "suspicious", "caught by type check"}
#: What it says of those whose tests it ended, whatever kept them: perhaps only other programs on the machine.
UNENDED = "timeout"
#: How many times as long such a mutant may take when it is tried once more: longer than any test may, so that one which hangs has failed by then.
MORE_PATIENCE = 8


#: What is changed of the triggers, and the tests that are to notice.
TRIGGERS = CHECKOUT / "src" / "mainspring" / "triggers"
TESTS_OF_TRIGGERS = (
    "tests/triggers",
    "tests/engine/test_searching.py",
    "-m",
    "not soak and not every_python",
)


class Mutant(NamedTuple):
    """One change.

    Attributes:
        function: that is changed, by its full name.
        removed, added: the lines of the change, without what is before and after them.
    """

    function: str
    removed: str
    added: str


def function_of(name: str) -> str:
    """The function of a mutant of mutmut's: ``a.b.xǁClassǁmethod__mutmut_3`` is one of ``a.b.Class.method``."""
    path, _, _ = name.rpartition("__mutmut_")
    module, _, mangled = path.rpartition(".")
    parts = mangled[1:].strip("ǁ").split("ǁ") if "ǁ" in mangled else [mangled.removeprefix("x_")]
    return ".".join([module, *parts])


def mutants_of(module: str, mutated: str) -> dict[str, Mutant]:
    """The mutants of a module by their names, from the text that mutmut makes of it.

    Each function stands there once as it is, under a name that ends in ``__mutmut_orig``, and once more for each mutant.
    """
    lines = mutated.splitlines()
    bodies = {}
    for node in ast.walk(ast.parse(mutated)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "__mutmut_" in node.name:
            function, _, _ = node.name.rpartition("__mutmut_")
            text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            bodies[node.name] = [line.strip() for line in text.replace(node.name, function).splitlines()]
    return {
        f"{module}.{name}": change_between(f"{module}.{name}", bodies[f"{function}__mutmut_orig"], body)
        for name, body in bodies.items()
        for function, _, number in [name.rpartition("__mutmut_")]
        if number.isdecimal()
    }


def texts_of(mutated: str) -> dict[str, str]:
    """The functions that the mutants of a module are, by their names in it, each under its own name."""
    lines = mutated.splitlines()
    texts = {}
    for node in ast.walk(ast.parse(mutated)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "__mutmut_" in node.name:
            own = function_of(f".{node.name}").rpartition(".")[2]
            text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            texts[node.name] = text.replace(node.name, own, 1)
    return texts


def change_between(name: str, before: Sequence[str], after: Sequence[str]) -> Mutant:
    """A mutant by its name, the lines of its function, and those of its own."""
    changed = [line for line in unified_diff(before, after, n=0, lineterm="") if line[0] in "+-"][2:]
    removed, added = ("\n".join(line[1:] for line in changed if line[0] == sign) for sign in "-+")
    return Mutant(function_of(name), removed, added)


def explanations(text: str) -> dict[Mutant, str]:
    """The reasons why mutants survive, from the text of `EXPLANATIONS`."""
    found = {}
    for entry in tomllib.loads(text).get("survivor", []):
        lines = ("\n".join(line.strip() for line in entry[key].strip().splitlines()) for key in ("is", "was"))
        added, removed = lines
        found[Mutant(entry["function"], removed, added)] = entry["why"]
    return found


def drawn(made: Mapping[str, Mutant], count: int | None, seed: int) -> list[str]:
    """The names of so many mutants, the same for the same seed; of all of them for ``None``.

    Each has a lot, by the seed and the change itself, and the lowest are drawn. So an edit of the code changes the sample by
    the mutants of the lines that were edited, and one more for each of the sample that is gone.
    """

    def lot(name: str) -> tuple[bytes, str]:
        return blake2b("\0".join([str(seed), *made[name]]).encode()).digest(), name

    return sorted(sorted(made, key=lot)[:count])


def verdict(
    statuses: Mapping[str, str], changes: Mapping[str, Mutant], reasons: Mapping[Mutant, str]
) -> tuple[list[str], bool]:
    """What is to be printed of a run, and whether it is good enough.

    Args:
        statuses: what became of each mutant, by its name.
        changes: what they are.
    """
    survivors = [name for name, status in statuses.items() if status not in KILLED]
    killed = len(statuses) - len(survivors)
    lines = []
    unexplained = 0
    for name in survivors:
        change = changes[name]
        reason = reasons.get(change)
        unexplained += reason is None
        lines += [f"{name}: {statuses[name]}"]
        lines += [f"  - {line}" for line in change.removed.splitlines()]
        lines += [f"  + {line}" for line in change.added.splitlines()]
        lines += [
            f"  {reason or 'NOT EXPLAINED: write a test that notices it, or the reason why none can'}",
            "",
        ]
    share = killed / len(statuses) if statuses else 0.0
    by_module = Counter(function_module(name) for name in survivors)
    lines += [f"{count:4} survived in {module}" for module, count in sorted(by_module.items())]
    unended = sum(statuses[name] == UNENDED for name in survivors)
    lines.append(
        f"{len(statuses)} mutants: {killed} killed, {len(survivors)} survived ({unended} of which did not come to an end), "
        f"{unexplained} of them without a reason; {share:.1%} killed, {LEAST_KILLED:.0%} are asked for"
    )
    return lines, share >= LEAST_KILLED and not unexplained


def function_module(name: str) -> str:
    """The module of a mutant."""
    return name.rpartition("__mutmut_")[0].rpartition(".")[0]


def _mutmut(folder: Path, *arguments: str) -> str:
    """What mutmut prints, but for the wheel that it turns while it waits."""
    command = [sys.executable, "-c", "from mutmut.__main__ import cli; cli()", *arguments]
    with (folder / "mutmut.txt").open("w+b") as file:
        ended = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "CI": "true"},  # with it, Hypothesis tries the same examples each time
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
        file.seek(0)
        said = re.sub("[⠁-⣿] [^\n\r]*[\n\r]*", "", file.read().decode(errors="replace"))
    if ended.returncode:
        sys.exit(f"mutmut {arguments[0]} failed; are all tests green? It said:\n{said[-5000:]}")
    return said


def _statuses(folder: Path) -> dict[str, str]:
    lines = _mutmut(folder, "results", "--all", "true").splitlines()
    pairs = (line.strip().rpartition(": ") for line in lines)
    return {name: status for name, _, status in pairs if "__mutmut_" in name}


def patient(text: str) -> str:
    """The text of `pyproject.toml` that gives tests more time."""
    return re.sub(
        r"(?m)^timeout_multiplier = (.*)$",
        lambda found: (
            f"timeout_multiplier = {float(found[1]) * MORE_PATIENCE}"
        ),  # it multiplies the constant, too
        text,
    )


def _try_again(folder: Path, names: Sequence[str]) -> None:
    """Run mutants once more whose tests did not come to an end: one at a time, and for longer."""
    print(f"{len(names)} did not come to an end: once more, one by one, with more time", flush=True)
    project = folder / "pyproject.toml"
    project.write_text(patient(project.read_text()))
    _mutmut(folder, "run", "--max-children", "1", *names)


def _copied(folder: Path) -> None:
    for name in ("src", "tests", "scripts", "docs"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy2(CHECKOUT / name, folder)


def _matching(made: Mapping[str, Mutant], options: argparse.Namespace) -> dict[str, Mutant]:
    found = {
        name: change
        for name, change in made.items()
        if not options.only or any(re.search(pattern, name) for pattern in options.only)
    }
    names = drawn(found, options.count or None, options.seed)
    print(f"{len(names)} of {len(found)} mutants, drawn with seed {options.seed}", flush=True)
    return {name: found[name] for name in names}


def _of_engine(folder: Path, options: argparse.Namespace) -> tuple[dict[str, str], dict[str, Mutant]]:
    """Have mutmut make and run mutants of what ``[tool.mutmut]`` names; what became of each, and what they are."""
    # mutmut makes the mutants when it is to run some, and only then; here it is asked for the few of one small function.
    _mutmut(folder, "run", "mainspring.engine.replacing.*")
    made: dict[str, Mutant] = {}
    for module in sorted({function_module(name) for name in _statuses(folder)}):
        path = folder / "mutants" / "src" / Path(*module.split("."))
        found = [path for path in (path.with_suffix(".py"), path / "__init__.py") if path.exists()]
        made |= mutants_of(module, found[0].read_text())
    chosen = _matching(made, options)
    said = _mutmut(folder, "run", "--max-children", str(options.processes), *chosen)
    after = _statuses(folder)
    unended = [name for name in chosen if after[name] == UNENDED]
    if unended:
        _try_again(folder, unended)
        after = _statuses(folder)
    statuses = {name: after[name] for name in chosen}
    if "not checked" in statuses.values():
        sys.exit(f"mutmut did not come to its end:\n{said[-3000:]}")
    return statuses, chosen


def _made_of(path: Path) -> tuple[dict[str, Mutant], dict[str, Change]]:
    """The mutants of a file, as they are compared and as they are run."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    within = path.relative_to(CHECKOUT / "src")
    module = ".".join(within.with_suffix("").parts).removesuffix(".__init__")
    mutated = mutate_file_contents(str(within), path.read_text()).code
    made, texts = mutants_of(module, mutated), texts_of(mutated)
    changes = {
        name: Change(
            str(within),
            change.function.removeprefix(f"{module}."),
            texts[name.removeprefix(f"{module}.")],
        )
        for name, change in made.items()
    }
    return made, changes


def _of_triggers(folder: Path, options: argparse.Namespace) -> tuple[dict[str, str], dict[str, Mutant]]:
    """Run mutants of the triggers one by one; what became of each, and what they are."""
    made: dict[str, Mutant] = {}
    changes: dict[str, Change] = {}
    with ProcessPoolExecutor(options.processes) as pool:
        for some, texts in pool.map(_made_of, sorted(TRIGGERS.rglob("*.py"))):
            made |= some
            changes |= texts
    chosen = _matching(made, options)
    bench = Bench(folder, recorded(folder, TESTS_OF_TRIGGERS), options.processes)
    return bench.statuses({name: changes[name] for name in chosen}), chosen


#: What can be changed, and how its mutants are run.
SUBJECTS = {"engine": _of_engine, "triggers": _of_triggers}


def main() -> int:
    """Run it, from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--count", type=int, default=300, help="how many mutants are drawn; 0: all (default: 300)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the draw (default: 1)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 2, help="how many run at a time")
    parser.add_argument(
        "--only", action="append", default=[], help="a regular expression that names must match"
    )
    parser.add_argument(
        "--of",
        choices=SUBJECTS,
        default="engine",
        help="what is changed: the engine with the shared stores, or the triggers",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mainspring-mutants-") as temporary:
        folder = Path(temporary)
        _copied(folder)
        statuses, made = SUBJECTS[options.of](folder, options)
    lines, is_good = verdict(statuses, made, explanations(EXPLANATIONS.read_text()))
    print("\n".join(lines))
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
