"""``python -m mainspring.as_apscheduler`` runs a program as ``python`` does, save for the alias."""

import subprocess
import sys
import zipfile

import pytest

RUNNER = ("-m", "mainspring.as_apscheduler")

SHOWS_ITSELF = """\
import sys
import __main__
print(sys.argv[1:], __name__, __main__.__dict__ is globals())
print(__package__, __spec__ and __spec__.name, type(__loader__).__name__, "__builtins__" in globals())
print(sys.path[0])
"""


def test_a_script_sees_what_it_sees_under_plain_python(python, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "helper.py").write_text("")
    (tmp_path / "bin" / "script.py").write_text(
        SHOWS_ITSELF + "import helper\nprint(sys.argv[0], __file__)\n"
    )
    plain = python("bin/script.py", "a", "-m", "b c").stdout
    aliased = python(*RUNNER, "bin/script.py", "a", "-m", "b c").stdout
    assert aliased.splitlines()[:3] == plain.splitlines()[:3]
    assert "['a', '-m', 'b c'] __main__ True" in aliased
    assert aliased.splitlines()[3] == "bin/script.py bin/script.py"


def test_a_module_sees_what_it_sees_under_plain_python(python, tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(SHOWS_ITSELF + "print(sys.argv[0], __file__)\nfrom . import tool\n")
    (package / "tool.py").write_text(SHOWS_ITSELF + "print(sys.argv[0], __file__)\n")
    for name in ("package", "package.tool"):
        assert python(*RUNNER, "-m", name, "a").stdout == python("-m", name, "a").stdout


def test_code_sees_what_it_sees_under_plain_python(python):
    code = "import sys; print(sys.argv, __name__, __package__, __spec__, sys.path[0] == '')"
    assert python(*RUNNER, "-c", code, "a", "-c").stdout == python("-c", code, "a", "-c").stdout


@pytest.mark.parametrize("kind", ["directory", "zip file"])
def test_a_directory_or_zip_file_with_a_main_module(python, tmp_path, kind):
    if kind == "zip file":
        with zipfile.ZipFile(tmp_path / "program.zip", "w") as archive:
            archive.writestr(
                "__main__.py", "import part, apscheduler.events, sys; print(part.mark, sys.argv)"
            )
            archive.writestr("part.py", "mark = 7")
        name = "program.zip"
    else:
        (tmp_path / "program").mkdir()
        (tmp_path / "program" / "__main__.py").write_text(
            "import part, apscheduler.events, sys; print(part.mark, sys.argv)"
        )
        (tmp_path / "program" / "part.py").write_text("mark = 7")
        name = "program"
    assert python(*RUNNER, name, "x").stdout == f"7 ['{name}', 'x']\n"


def test_the_alias_is_in_place(python, tmp_path, installed_apscheduler):
    (tmp_path / "script.py").write_text("import apscheduler, mainspring; print(apscheduler is mainspring)")
    for program in (["script.py"], ["-m", "script"], ["-c", (tmp_path / "script.py").read_text()]):
        assert python(*RUNNER, *program, path=[installed_apscheduler]).stdout == "True\n"


def test_future_statements_of_the_runner_do_not_reach_the_program(python, tmp_path):
    (tmp_path / "script.py").write_text("def f(a: 1 + 1): pass\nprint(f.__annotations__)")
    assert python(*RUNNER, "script.py").stdout == "{'a': 2}\n"


def test_an_exception_is_shown_as_python_shows_it(python, tmp_path):
    (tmp_path / "script.py").write_text(
        "def f():\n    raise ValueError('no')\ntry:\n    1/0\nexcept Exception:\n    f()\n"
    )
    plain = python("script.py", expect=1)
    aliased = python(*RUNNER, "script.py", expect=1)
    assert "runner.py" not in aliased.stderr
    # Plain Python names a script by its whole path.
    assert aliased.stderr.replace('"script.py"', f'"{tmp_path}/script.py"') == plain.stderr.replace(
        '"script.py"', f'"{tmp_path}/script.py"'
    )


@pytest.mark.parametrize(
    ("way", "code"), [("sys.exit(5)", 5), ("sys.exit()", 0), ("raise SystemExit('why')", 1)]
)
def test_exit_codes_are_the_programs(python, way, code):
    done = python(*RUNNER, "-c", f"import sys; {way}", expect=code)
    assert ("why" in done.stderr) == (code == 1)


def test_a_syntax_error_is_shown_without_the_runner(python, tmp_path):
    (tmp_path / "script.py").write_text("x = = 1\n")
    done = python(*RUNNER, "script.py", expect=1)
    assert "SyntaxError" in done.stderr
    assert "x = = 1" in done.stderr
    assert "runner.py" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "usage: python -m mainspring.as_apscheduler"),
        (["-m"], 2, "-m needs an argument"),
        (["-c"], 2, "-c needs an argument"),
        (["-W", "error"], 2, "options of Python stand before -m"),
        (["missing.py"], 2, "can't open the program 'missing.py'"),
        (["-m", "missing"], 1, "no module of that name"),
        (["-m", "missing.part"], 1, "No module named 'missing'"),
        (["-m", "json"], 1, "a package without __main__"),
        (["."], 1, "there is no __main__ module in it"),
    ],
)
def test_what_can_not_be_run_is_said_in_a_sentence(python, arguments, code, message):
    if arguments == ["-m", "json"] and sys.version_info >= (3, 14):
        pytest.skip("json can be run there")
    done = python(*RUNNER, *arguments, expect=code)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_help_is_no_error(python):
    assert python(*RUNNER, "--help").stdout.startswith("usage: python -m mainspring.as_apscheduler")


def test_the_program_stays_main_when_its_code_has_ended(python, tmp_path):
    (tmp_path / "script.py").write_text("""\
import sys, threading
mark = 42
def later():
    threading.main_thread().join()
    import __main__
    print(__main__.mark, mark, flush=True)
threading.Thread(target=later).start()
""")
    assert python(*RUNNER, "script.py").stdout == "42 42\n"


def test_ctrl_c_in_the_main_code_ends_it_without_a_traceback(python):
    done = python(*RUNNER, "-c", "import signal; signal.raise_signal(signal.SIGINT)", expect=130)
    assert done.stderr == ""


WORKERS = """\
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
from apscheduler.events import EVENT_JOB_ADDED
mark = os.path.basename(__file__)
sys.argv[:] = ["changed"]

def work(number):
    import apscheduler, mainspring
    return number + 1, apscheduler is mainspring, __name__, mark

if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(METHOD)) as pool:
        print(pool.submit(work, 1).result(30))
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("program", [["script.py"], ["-m", "script"]], ids=["script", "module"])
def test_worker_processes_have_the_alias_and_the_programs_functions(python, tmp_path, method, program):
    (tmp_path / "script.py").write_text(WORKERS.replace("METHOD", repr(method)))
    assert python(*RUNNER, *program).stdout == "(2, True, '__mp_main__', 'script.py')\n"


PRELOADED = """\
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
import preloaded

if __name__ == "__main__":
    multiprocessing.set_forkserver_preload(NAMES)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("forkserver")) as pool:
        print(pool.submit(preloaded.parent).result(30) == pool.submit(preloaded.imported_in).result(30))
"""
MODULE = """\
import os
import apscheduler
PID = os.getpid()
parent = os.getppid
def imported_in():
    return PID
"""


@pytest.mark.parametrize("names", [["preloaded"], ["__main__", "preloaded"]])
def test_what_a_fork_server_imports_finds_the_alias(python, tmp_path, names):
    (tmp_path / "script.py").write_text(PRELOADED.replace("NAMES", repr(names)))
    (tmp_path / "preloaded.py").write_text(MODULE)
    assert python(*RUNNER, "script.py").stdout == "True\n"


def test_a_job_of_the_program_runs_in_mainsprings_own_process_pool(python, tmp_path):
    (tmp_path / "script.py").write_text("""\
import os, threading
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ProcessPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

def job(parent):
    return os.getpid() != parent

if __name__ == "__main__":
    ended = threading.Event()
    scheduler = BackgroundScheduler(executors={"default": ProcessPoolExecutor(1)})
    scheduler.add_listener(lambda e: (print(e.exception or e.retval), ended.set()), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.add_job(job, args=[os.getpid()])
    scheduler.start()
    assert ended.wait(40)
    scheduler.shutdown()
""")
    assert python(*RUNNER, "script.py").stdout == "True\n"


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one process", "xdist"])
def test_pytest_with_the_alias(python, tmp_path, workers):
    (tmp_path / "test_program.py").write_text("""\
import apscheduler.events as theirs, mainspring.events as ours
def test_same():
    assert theirs is ours
""")
    done = python(
        "-m", "pytest", "-q", "-W", "error", "-p", "mainspring.as_apscheduler", *workers, "test_program.py"
    )
    assert "1 passed" in done.stdout


def test_a_pytest_run_gives_the_alias_to_its_worker_processes(python, tmp_path):
    (tmp_path / "work.py").write_text(
        "import apscheduler, mainspring\ndef work(): return apscheduler is mainspring\n"
    )
    (tmp_path / "test_program.py").write_text("""\
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from work import work
def test_same():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(work).result(30)
""")
    done = python("-m", "pytest", "-q", "-p", "mainspring.as_apscheduler", "test_program.py", path=[tmp_path])
    assert "1 passed" in done.stdout


def test_input_is_left_to_the_program(tmp_path):
    done = subprocess.run(
        [sys.executable, *RUNNER, "-c", "print(input())"],
        input="a line\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "a line\n"
