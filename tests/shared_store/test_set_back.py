"""A store that is restored from a backup: noticed, said, and gone on with."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from restoring import KINDS

import servers
from mainspring.events import EVENT_EVERY
from mainspring.testing import EventRecorder
from stores import kind_marks, open_store
from waiting import wait_for

pytestmark = pytest.mark.timeout(240)

calls: list[str] = []


def note(what):
    calls.append(what)


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory):
    """Servers that other tests don't use, each started once."""
    made = {}

    def of(kind):
        if kind not in made:
            made[kind] = KINDS[kind](tmp_path_factory.mktemp(kind))
        return made[kind]

    yield of
    for one in made.values():
        one.close()


def kinds(*often):
    """As a parameter: the kinds of stores, of which some are tried on each change."""
    return pytest.mark.parametrize(
        "backups",
        [
            pytest.param(
                kind,
                marks=kind_marks(kind, often=kind in often, group="restored"),
            )
            for kind in KINDS
        ],
        indirect=True,
    )


@pytest.fixture
def backups(request, tmp_path, own_servers):
    calls.clear()
    if request.param.startswith("sqlite"):
        return KINDS[request.param](tmp_path)
    try:
        return own_servers(request.param)
    except servers.ServerMissingError as error:
        servers.missing(str(error))


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO)
    return lambda words: [record.getMessage() for record in caplog.records if words in record.getMessage()]


@pytest.fixture
def open_one(backups, tablename):
    return lambda name: open_store(backups.url, tablename, lease=2, node_name=name)


@pytest.fixture
def start(open_one, make_scheduler):
    """Starts a node of this name."""
    return lambda name: make_scheduler(jobstores={"default": open_one(name)}, start=True)


def warnings_of(node, words):
    return [one for one in node.health().store_warnings.get("default", ()) if words in one]


def soon(seconds=0.0):
    return datetime.now(UTC) + timedelta(seconds=seconds)


@kinds("sqlite", "sqlite-replaced", "postgres", "redis")
def test_nodes_that_live_through_a_restore_notice_it_and_go_on(backups, start, said):
    nodes = {name: start(name) for name in ("one", "two")}
    one, two = nodes.values()
    heard = EventRecorder()
    one.add_listener(heard, EVENT_EVERY)
    one.add_job(note, "date", run_date=soon(3600), args=["later"], id="later")
    one.add_job(note, "date", run_date=soon(2), args=["between"], id="between")
    backups.back_up()
    wait_for(lambda: calls == ["between"])
    added = one.add_job(note, "date", run_date=soon(), args=["added"], id="added")
    wait_for(lambda: calls == ["between", "added"])
    wait_for(lambda: len(one.get_runs(outcome="succeeded")) == 2)
    tokens = {name: node._stores["default"]._node_context.token for name, node in nodes.items()}
    beats = {name: node._stores["default"]._membership._beats.taken for name, node in nodes.items()}
    wait_for(  # or nothing that a node has said is lost
        lambda: all(
            node._stores["default"]._membership._beats.taken > beats[name] for name, node in nodes.items()
        )
    )

    backups.restore()

    for name, node in nodes.items():
        (sentence,) = wait_for(lambda node=node: warnings_of(node, "was set back"))
        assert f"by node {name}, which goes on as a new one" in sentence
        lines = wait_for(
            lambda name=name: [line for line in said("was set back") if f"by node {name}," in line]
        )
        assert len(lines) == 1
        # No number is given away twice, whatever the store has forgotten.
        assert node._stores["default"]._node_context.token > max(tokens.values())
    # It is due again, and is run again; and both are said.
    wait_for(lambda: calls.count("between") == 2)
    wait_for(lambda: said("perhaps run before: 'between' due at"), 10)
    wait_for(lambda: [run.outcome for run in one.get_runs("between")] == ["succeeded"])
    assert one.get_runs(added.id) == []
    assert [job.id for job in two.get_jobs()] == ["later"]
    assert all(node.health().ok for node in nodes.values())
    # They are as good as any other.
    two.add_job(note, "date", run_date=soon(), args=["after"], id="after")
    wait_for(lambda: calls[-1] == "after")
    wait_for(lambda: [run.outcome for run in one.get_runs("after")] == ["succeeded"])


@kinds("sqlite")
@pytest.mark.parametrize("is_known", [False, True], ids=["due", "claimed"])
def test_what_runs_meanwhile_is_not_run_a_second_time_beside_itself(backups, start, said, tmp_path, is_known):
    """The backup was made before it was claimed, or while it ran."""
    node = start("one")
    store = node._stores["default"]
    when = soon(0 if is_known else 2)
    node.add_job(hold, "date", run_date=when, args=[str(tmp_path / "flag")], id="held", on_lost="rerun")
    if is_known:
        wait_for(lambda: "begun" in calls)
    backups.back_up()
    wait_for(lambda: "begun" in calls)
    before = store._membership._beats.taken
    wait_for(lambda: store._membership._beats.taken > before)
    backups.restore()
    wait_for(lambda: said("was set back"))
    looked = store._agenda._looked_at
    wait_for(lambda: store._agenda._looked_at > looked)  # it may have found what to do
    assert calls == ["begun"]
    (tmp_path / "flag").touch()
    wait_for(lambda: "ended" in calls)
    if is_known:
        wait_for(lambda: [run.outcome for run in node.get_runs("held")] == ["succeeded"])
        assert calls == ["begun", "ended"]
    else:
        wait_for(lambda: len(calls) == 4)
        wait_for(lambda: {run.outcome for run in node.get_runs("held")} == {"succeeded"})
        assert calls == ["begun", "ended", "begun", "ended"]
        assert len(said("perhaps run before: 'held' due at")) == 1
    assert len(said("was under way when job store 'default' was set back, and has ended (succeeded)")) == 1


def hold(flag):
    calls.append("begun")
    wait_for(Path(flag).exists)
    calls.append("ended")


@kinds("sqlite", "postgres")
def test_a_program_that_comes_back_after_a_restore_notices_it(backups, open_one, make_scheduler, said):
    """The same process, whose scheduler was shut down meanwhile."""
    store = open_one("one")
    first = make_scheduler(jobstores={"default": store}, start=True)
    first.shutdown()
    backups.back_up()
    again = make_scheduler(jobstores={"default": store}, start=True)
    again.add_job(note, "date", run_date=soon(), args=["lost"])
    wait_for(lambda: calls == ["lost"])
    again.shutdown()
    backups.restore()
    last = make_scheduler(jobstores={"default": store}, start=True)
    assert len(said("was set back")) == 1
    assert len(warnings_of(last, "was set back")) == 1


@kinds("sqlite", "redis")
def test_a_node_that_comes_when_all_are_silent_says_what_that_means(backups, start, said):
    node = start("one")
    node.add_job(note, "date", run_date=soon(1), args=["due"], id="due")
    backups.back_up()
    wait_for(lambda: calls == ["due"])
    node.shutdown()
    backups.restore()
    silent = soon(2.1)  # for the time of its lease
    wait_for(lambda: datetime.now(UTC) > silent)
    later = start("later")
    (line,) = said("was used by nobody since")
    assert "and one had not left: that died then, or the store was set back" in line
    assert len(warnings_of(later, "was used by nobody")) == 1
    wait_for(lambda: calls == ["due", "due"])  # late, as after any such time


@kinds("sqlite")
def test_a_node_that_comes_after_others_have_left_is_told_nothing(start, said):
    node = start("one")
    node.shutdown()
    later = start("later")
    assert said("was used by nobody") == said("was set back") == []
    assert warnings_of(later, "it was") == []
