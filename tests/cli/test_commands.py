"""The command line: what each command answers, in this process; `test_processes.py` has it as people start it."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import click
import pytest

from mainspring.cli import main
from mainspring.cli.application import mainspring
from mainspring.cli.times import SPAN, span_meant
from mainspring.jobstores.by_url import store_for
from waiting import wait_for


@pytest.fixture
def url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAINSPRING_STORE", raising=False)
    return f"sqlite:///{tmp_path}/jobs.sqlite"


@pytest.fixture
def node(url, make_scheduler):
    node = make_scheduler(jobstores={"default": store_for(url)}, start=True)
    node.add_job("time:time", "interval", hours=1, id="hourly", tags=["billing"])
    node.add_job("math:sqrt", "interval", hours=2, id="fails", args=[-1])
    return node


@pytest.fixture
def call(url, capsys):
    """Calls the command line for the store; exit code, standard output and standard error."""

    def call(*arguments: str, store: str | None = url):
        capsys.readouterr()
        code = main([*(() if store is None else ("--store", store, "--timezone", "UTC")), *arguments])
        return code, *capsys.readouterr()

    return call


@pytest.mark.usefixtures("node")
def test_jobs_are_listed_as_a_table_as_json_and_as_csv(call):
    code, table, _ = call("jobs", "list")
    assert code == 0
    assert [line.split()[:2] for line in table.splitlines()] == [
        ["ID", "STATE"],
        ["hourly", "scheduled"],
        ["fails", "scheduled"],
    ]
    found = json.loads(call("jobs", "list", "--json", "--tag", "billing")[1])
    assert [(job["id"], job["tags"]) for job in found] == [("hourly", ["billing"])]
    rows = list(csv.DictReader(io.StringIO(call("jobs", "list", "--output", "csv")[1])))
    assert [(row["id"], json.loads(row["tags"])) for row in rows] == [("hourly", ["billing"]), ("fails", [])]
    _, _, err = call("jobs", "list", "--limit", "1")
    assert "There are more: --after 'hourly'" in err
    assert [line.split()[0] for line in call("jobs", "list", "--after", "hourly")[1].splitlines()] == [
        "ID",
        "fails",
    ]
    assert call("jobs", "list", "--search", "nothing has it") == (0, "", "There are no such jobs.\n")


def test_a_run_is_asked_for_waited_for_and_looked_at(call, node):
    code, out, _ = call("jobs", "run", "hourly", "--wait", "--json")
    (run,) = json.loads(out)
    assert (code, run["state"]) == (0, "succeeded")
    code, out, _ = call("jobs", "run", "fails", "--wait", "--json")
    (run,) = json.loads(out)
    assert (code, run["state"], run["error"]) == (4, "failed", "ValueError: math domain error")
    _, out, _ = call("runs", "show", run["id"])
    assert [line.split(maxsplit=1) for line in out.splitlines()][-2] == [
        "traceback",
        "ValueError: math domain error      ",
    ]
    listed = json.loads(call("runs", "list", "--failed", "--since", "1h", "--json")[1])
    assert [one["id"] for one in listed] == [run["id"]]
    code, out, _ = call("jobs", "run", "hourly")
    assert code == 0
    assert out.startswith("hourly/")
    wait_for(lambda: len(node.get_runs("hourly", "succeeded")) == 2)
    code, out, _ = call("doctor", "--json")
    assert (code, [finding["about"] for finding in json.loads(out)]) == (3, ["runs"])


def test_jobs_are_paused_resumed_and_removed(call, node):
    assert call("jobs", "pause", "hourly", "fails", "--note", "strike")[:2] == (
        0,
        "hourly is paused.\nfails is paused.\n",
    )
    assert node.get_job("fails").note == "strike"
    code, out, _ = call("jobs", "resume", "hourly")
    assert code == 0
    assert out.startswith("hourly runs next at ")
    assert call("jobs", "remove", "hourly", "--yes")[:2] == (0, "hourly is removed.\n")
    code, _, err = call("jobs", "show", "fials")
    assert (code, err) == (1, "Error: No job by the id of fials was found; did you mean 'fails'?\n")


def test_runs_are_drawn_also_those_that_are_in_the_history_no_more(call, node):
    assert call("runs", "chart", "hourly") == (0, "", "Nothing is known of its runs in that time.\n")
    for _ in range(3):
        node.run_job("hourly").wait(30)
    node.run_job("fails").wait(30)
    before = json.loads(call("runs", "chart", "hourly", "--by", "day", "--json")[1])
    assert sum(one["runs"] for one in before) == 3
    assert call("db", "prune", "--keep", "1", "--yes")[0] == 0
    assert len(node.get_runs("hourly")) == 1
    assert json.loads(call("runs", "chart", "hourly", "--by", "day", "--json")[1]) == before
    lines = call("runs", "chart", "fails")[1].splitlines()
    assert lines[0].split() == ["FROM", "RUNS", "NOT", "WELL", "LATE", "TOOK", "LONGEST"]
    assert [line.split()[2:4] for line in lines[1:]] == [["1", "1"]]


@pytest.mark.usefixtures("node")
def test_who_has_done_what_is_shown(call, monkeypatch):
    assert call("audit") == (0, "", "Nothing of that kind was done.\n")
    assert call("--who", "anna", "--why", "ticket 12", "jobs", "pause", "hourly")[0] == 0
    monkeypatch.setenv("MAINSPRING_WHO", "bob")
    assert call("jobs", "resume", "hourly")[0] == 0
    found = json.loads(call("audit", "--json", "--since", "1h")[1])
    assert [(one["who"], one["action"], one["job_id"], one["why"]) for one in found] == [
        ("bob", "resume", "hourly", None),
        ("anna", "pause", "hourly", "ticket 12"),
    ]
    (entry,) = call("audit", "hourly", "--who", "anna")[1].splitlines()[1:]
    assert entry.split()[3:] == ["anna", "pause", "hourly", "ticket", "12"]
    assert call("audit", "fails")[1] == ""


def test_who_is_at_work_what_comes_and_what_is_wrong(call, node):
    assert json.loads(call("nodes", "--json")[1])[0]["state"] == "alive"
    assert call("groups") == (0, "", "No group has limits.\n")
    node.set_group("api", limit=2)
    assert call("groups")[1].splitlines()[1].split() == ["api", "2", "any"]
    assert call("parked") == (0, "", "No job is parked or overdue.\n")
    assert call("doctor") == (0, "", "Nothing is wrong that can be seen from here.\n")
    due = json.loads(call("next", "--span", "2h30m", "--json")[1])
    assert [one["job_id"] for one in due] == ["hourly", "hourly", "fails"]
    assert call("next", "nothing")[0] == 1
    assert call("next", "--span", "1s") == (0, "", "Nothing is due in the next 1.0 s.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence", "times"),
    [
        (["30 2 * * mon-fri"], "At 02:30 from Monday to Friday, Europe/Berlin", 10),
        (["every day at 9", "--count", "2"], "At 09:00 every day, Europe/Berlin", 2),
        (
            ["0 0 9 ? * 2#1", "--dialect", "quartz", "--count", "0"],
            "At 09:00 on the first Monday of every month, Europe/Berlin",
            0,
        ),
        (["30 2 * * *", "--language", "de", "--count", "0"], "Täglich um 02:30 Uhr, Europe/Berlin", 0),
    ],
)
def test_a_schedule_is_explained(capsys, arguments, sentence, times):
    assert main(["--timezone", "Europe/Berlin", "explain", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == sentence
    assert len([line for line in lines if line.startswith("  ")]) == times


def test_what_may_surprise_about_a_schedule_is_said(capsys):
    assert main(["--timezone", "Europe/Berlin", "explain", "30 2 31 * *", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert "short-months" in [one["code"] for one in said["warnings"]]
    assert len(said["times"]) == 10


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["explain", "never ever"], 1, "Error: "),
        (["explain", "0 0 9 * * 1"], 1, "dialect=…"),
        (["--timezone", "Mars/Base", "explain", "@daily"], 1, "Mars/Base"),
        (["--store", "jobs.txt", "jobs", "list"], 1, "neither the URL of a database"),
        (["--store", "nothing.sqlite", "jobs", "list"], 1, "there is no file"),
        (["jobs", "list"], 2, "which job store?"),
        (["run", "nothing.toml"], 1, "nothing.toml can't be read"),
        (["run", "time:time"], 2, "is no scheduler"),
        (["jobs", "lits"], 2, "No such command"),
        (["runs", "list", "--since", "soon"], 2, "no span of time"),
    ],
)
@pytest.mark.usefixtures("url")
def test_what_cannot_be_done_is_refused_in_a_sentence(capsys, arguments, code, words):
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert "Traceback" not in err


def commands(group=mainspring, path=()):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


@pytest.mark.parametrize(
    ("path", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_command_has_help_with_an_example_that_is_read_as_it_is_written(capsys, path, command):
    assert main([*path.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert command.help.partition("\n")[0][:40] in shown
    for example in command.examples:
        assert f"  {example}\n" in shown
        words = _words(example)
        assert words[0] == "mainspring"
        with mainspring.make_context("mainspring", words[1:]) as context:
            _parsed(mainspring, context, words[1:])


def _words(example):
    import shlex

    return shlex.split(example)


def _parsed(group, context, arguments):
    """Read the arguments as the command does, without doing what they say."""
    name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
    inner = command.make_context(name, rest, parent=context)
    if isinstance(command, click.Group):
        _parsed(command, inner, rest)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("12h", 43200), ("1h30m", 5400), ("1.5d", 129600), ("2 w", 1209600)]
)
def test_a_span_of_time_is_read(text, seconds):
    assert SPAN.convert(text, None, None).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "soon", "12", "h", "1h and more", "-5m", "9" * 30 + "w"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(click.BadParameter):
        SPAN.convert(text, None, None)


def test_a_job_is_added_as_a_file_would_say_it(call, node):
    code, out, _ = call(
        "jobs",
        "add",
        "clean",
        "--command",
        "true",
        "--schedule",
        "every 15 minutes",
        "--tag",
        "a",
        "--tag",
        "b",
        "--timeout",
        "10m",
        "--json",
    )
    (job,) = json.loads(out)
    assert (code, job["tags"], job["options"]) == (0, ["a", "b"], {"timeout": 600.0})
    assert node.get_job("clean").args == ("true",)
    assert call("jobs", "run", "clean", "--wait")[0] == 0
    for arguments, words in [
        (["--function", "time:time", "--schedule", "@daily"], "conflicts with an existing job"),
        (["--schedule", "@daily"], "what is run?"),
        (["--function", "time:time", "--schedule", "@dayly"], "did you mean '@daily'?"),
    ]:
        code, out, err = call("jobs", "add", "clean", *arguments)
        assert (code, out) == (1, "")
        assert words in err


def test_jobs_go_from_one_store_to_another(call, node, tmp_path, make_scheduler):
    other = f"sqlite:///{tmp_path}/other.sqlite"
    assert call("jobs", "export", str(tmp_path / "jobs.json"))[0] == 0
    make_scheduler(jobstores={"default": store_for(other)}, start=True)
    there = ("--store", other)
    assert call(*there, "jobs", "import", str(tmp_path / "jobs.json"), store=None)[:2] == (
        0,
        "2 jobs are imported.\n",
    )
    assert call(*there, "jobs", "import", str(tmp_path / "jobs.json"), store=None)[0] == 1
    assert call(*there, "jobs", "import", str(tmp_path / "jobs.json"), "--replace", store=None)[0] == 0
    assert json.loads(call("jobs", "export")[1])["jobs"][0]["id"] == "hourly"


def test_what_apscheduler_stored_is_shown_and_taken_over(call, node, tmp_path):
    new = f"sqlite:///{tmp_path}/new.sqlite"
    call("jobs", "export", str(tmp_path / "old.json"))
    there = ("--store", new, "migrate", str(tmp_path / "old.json"))
    assert call(*there, store=None)[0] == 1, "the store isn't there yet"
    code, out, _ = call(*there, "--yes", store=None)
    assert (code, "2 adopted" in out) == (0, True)
    code, out, _ = call(*there, "--json", store=None)
    assert (code, json.loads(out)["settled"], json.loads(out)["jobs"]) == (0, 2, [])
    assert call("migrate") == (1, "", "Error: APScheduler has stored no jobs there\n")


def test_runs_are_followed_as_they_end(call, node):
    node.add_job("time:time", "interval", seconds=1, id="ticks")
    code, out, _ = call("runs", "follow", "ticks", "--count", "2", "--json")
    runs = [json.loads(line) for line in out.splitlines()]
    assert (code, [run["state"] for run in runs]) == (0, ["succeeded"] * 2)
    assert runs[0]["scheduled"] < runs[1]["scheduled"]
    code, out, _ = call("runs", "follow", "--count", "1")
    assert re.fullmatch(r"\S+ \S+ UTC  succeeded  ticks/\S+  \d+ ms\n", out)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(capsys, shell):
    assert main(["completion", shell]) == 0
    assert "_MAINSPRING_COMPLETE" in capsys.readouterr().out


def test_what_a_shell_asks_is_answered(monkeypatch, capsys):
    monkeypatch.setenv("_MAINSPRING_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "mainspring jobs pa")
    monkeypatch.setenv("COMP_CWORD", "2")
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().out == "plain,pause\n"


FORGED = "a\nERROR forged\x1b[31m\u202e"


def test_what_jobs_are_called_makes_no_lines_and_shows_no_secrets(call, node):
    secrets = {"token": "hunter2", FORGED: FORGED, "url": "postgresql://ann:hunter2@db/jobs"}
    node.add_job(
        *("builtins:int", "interval"),
        hours=1,
        id=FORGED,
        name=FORGED,
        executor=FORGED,
        group=FORGED,
        tags=[FORGED],
        kwargs={"password": "hunter2", FORGED: FORGED},
        metadata=secrets,
    )
    said = [call("jobs", "pause", FORGED, "--note", f"{FORGED} postgresql://ann:hunter2@db/jobs")]
    said += [call("jobs", "show", FORGED), call("jobs", "list"), call("next"), call("groups"), call("parked")]
    said += [call("jobs", "resume", FORGED), call("runs", "list"), call("doctor")]
    said += [call("jobs", "remove", FORGED, "--yes"), call("jobs", "show", FORGED)]
    for _, out, err in said:
        assert "hunter2" not in out + err
        assert not re.search(r"^\s*ERROR forged", out + err, re.MULTILINE), out + err
        assert not {"\x1b", "\u202e"} & set(out + err)
    assert r"a\nERROR forged\x1b[31m\u202e is removed." in said[-2][1]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-01-31", "2026-01-31T00:00:00+01:00", "2026-01-31T23:59:59.999999+01:00"),
        ("2026-01-31T09:30", "2026-01-31T09:30:00+01:00", "2026-01-31T09:30:59.999999+01:00"),
        ("2026-01-31 09:30:15", "2026-01-31T09:30:15+01:00", "2026-01-31T09:30:15.999999+01:00"),
        (
            "2026-01-31T09:30:15.250000Z",
            "2026-01-31T09:30:15.250000+00:00",
            "2026-01-31T09:30:15.250000+00:00",
        ),
        ("9:30", "2026-11-27T09:30:00+01:00", "2026-11-27T09:30:59.999999+01:00"),
        ("2026-10-25", "2026-10-25T00:00:00+02:00", "2026-10-25T23:59:59.999999+01:00"),
    ],
)
def test_a_time_means_a_span_as_long_as_it_is_exact(text, start, end):
    now = datetime(2026, 11, 27, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    assert [time.isoformat() for time in span_meant(text, now)] == [start, end]


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "25:00", "2026-02-30", "0001-01-01", "9999-12-31T23:59", "9:30 am"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(click.UsageError, match="is no time"):
        span_meant(text, datetime(2026, 11, 27, 12, tzinfo=ZoneInfo("Europe/Berlin")))
