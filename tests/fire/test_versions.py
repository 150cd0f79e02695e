"""Nodes of this release and of one before, on one store: a program is upgraded node by node, and somebody goes back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from burning import Fire
from nodes import paths, wait_for

from mainspring.retry import Retry
from stores import kind_marks

pytestmark = pytest.mark.timeout(300)

#: The older one, as this repository has had it: with the history of runs, and tables of version 3 that have got columns since.
OLDER = "df606a6cfda4be25f90c753c96caef8142eb59bc"
CHECKOUT = Path(__file__).parents[2]


def kinds(*often):
    """As a parameter: the kinds of stores, of which some are tried on each change."""
    return pytest.mark.parametrize(
        "ground",
        [
            pytest.param(
                kind,
                marks=kind_marks(kind, often=kind in often),
            )
            for kind in ("sqlite", "postgres", "mariadb", "redis", "mongodb")
        ],
        indirect=True,
    )


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    """The library of the older release."""
    git = ["git", "-C", str(CHECKOUT)]
    known = subprocess.run([*git, "cat-file", "-e", f"{OLDER}^{{commit}}"], capture_output=True)
    if known.returncode:
        pytest.skip(
            f"the history of this checkout doesn't reach back to {OLDER[:7]}, the release before: git fetch --unshallow"
        )
    folder = tmp_path_factory.mktemp("older")
    packed = subprocess.run([*git, "archive", OLDER, "src"], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    return folder / "src"


def load(fire, name, count=60):
    """Jobs that are due one after another, of which some fail at first."""
    jobs = [
        fire.add(f"{name}-{number}", "work", after=number * 0.05, on_lost="rerun") for number in range(count)
    ]
    jobs += [
        fire.add(
            f"{name}-again-{number}",
            "fail",
            1,
            after=number * 0.2,
            on_lost="rerun",
            retry=Retry(attempts=5, delay=0.2),
        )
        for number in range(count // 10)
    ]
    return jobs


@kinds("sqlite", "postgres")
def test_a_store_is_upgraded_node_by_node_and_somebody_goes_back(ground, older, tmp_path):
    fire = Fire(ground, tmp_path, lease=6.0, older=older)  # the older one speaks more seldom
    try:
        since = fire.now()
        (first,) = fire.nodes
        (second,) = fire.start(1, library=older)
        ticks = [
            fire.add(
                f"tick-{n}",
                "work",
                trigger="interval",
                seconds=0.4,
                misfire_policy="all",
                on_lost="rerun",
            )
            for n in range(4)
        ]
        jobs = load(fire, "old-alone")
        fire.wait_until_begun(*ticks)
        # The first new node, while old ones are at work.
        (new,) = fire.start(1)
        jobs += load(fire, "mixed")
        first.stop()
        (newer,) = fire.start(1)
        # An option that old ones don't know: they leave the job to others.
        jobs.append(fire.add("unknown-there", "work", on_lost="rerun", reruns=1))
        flag = fire.flag("held")
        held = [fire.add(f"held-{n}", "hold", str(flag), on_lost="rerun") for n in range(6)]
        fire.wait_until_begun(*held)
        with fire.unwatched():
            second.kill()
        # The upgrade is undone for one of them.
        (back,) = fire.start(1, library=older)
        jobs += load(fire, "back")
        flag.touch()
        fire.wait_until_over(*jobs, *held)
        new.stop()
        jobs += load(fire, "last", 20)
        fire.wait_until_over(*jobs)
        fire.remove(*ticks)
        wait_for(lambda: not fire.going(since), "end of what goes on")
        # On a busy machine the older one takes the server's clock for as far ahead as an answer was on its way.
        assert [fault for fault in fire.faults(since) if not fault.startswith("early: ")] == []
        by = {call.node for call in fire.diary.calls()}
        assert by == {node.name for node in (first, second, new, newer, back)}
        errors = {line["message"] for line in fire.logged("ERROR") if "is lost" not in line["message"]}
        assert all('Job "fail" raised an exception' in message for message in errors)
        fire.stop()
    finally:
        fire.close()


@kinds("sqlite", "postgres")
def test_an_older_node_refuses_what_it_does_not_understand(ground, older, tmp_path):
    """As it would of a release to come that counts the version up."""
    fire = Fire(ground, tmp_path, older=older)
    try:
        fire.stop()
        count_up(fire)
        program = (
            "import sys\nfrom stores import open_store\nfrom mainspring import BackgroundScheduler\n"
            "try: BackgroundScheduler(jobstores={'default': open_store(*sys.argv[1:])}).start()\n"
            "except Exception as error: print(error)"
        )
        said = subprocess.run(
            [sys.executable, "-c", program, fire.ground.url, fire.name],
            env={**os.environ, "PYTHONPATH": paths(older)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert "have version 99" in said.stdout or "has version 99" in said.stdout
        assert "a newer release has made or changed" in said.stdout
        assert "upgrade this one" in said.stdout
    finally:
        fire.close()


def count_up(fire):
    """A release to come has counted the version up."""
    store = fire.scheduler._stores["default"]
    if fire.ground.kind == "redis":
        store.redis.set(store._backend.server.key("schema"), 99)
    elif fire.ground.kind == "mongodb":
        store._server.notes.update_one({"_id": "schema"}, {"$set": {"version": 99}})
    else:
        with store.engine.begin() as connection:
            connection.execute(store._backend.tables.schema.update().values(version=99))
