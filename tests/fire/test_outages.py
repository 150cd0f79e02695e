"""A store that can't be used for longer than the lease: nobody who lives is taken for dead, nothing is lost, nothing is called twice."""

from __future__ import annotations

import time

import pytest
from grounds import GROUNDS
from nodes import wait_for

from stores import kind_marks

#: Seconds in which an outcome is written after the store works again: one, and more where the machine is busy.
SOON = 3.0
#: Those that are tried on each change; the others in the soak.
OFTEN = {
    ("sqlite", "locked_for_all", "quiet"),
    ("postgres", "read_only", "busy"),
    ("redis", "full", "quiet"),
}
#: In these, work goes on between two ends of a session: there may be nothing to tell.
SHORT = {"sessions_ended", "flapping"}
#: In these, nothing is refused: a statement that waits for its answer has its time, and the health tells meanwhile.
WAITING = {
    "locked",
    "locked_for_all",
    "locked_for_backup",
    "rows_locked",
    "frozen",
    "paused",
    "busy",
    "pooler_frozen",
}
#: In these, a program that starts is told so, and has ended.
WRONG_FOR_GOOD = {"password_changed", "login_refused", "closed_to_all"}
ALL = [(kind, trouble) for kind, ground in GROUNDS.items() for trouble in ground.troubles]
CASES = [
    pytest.param(
        kind,
        trouble,
        work,
        id=f"{kind}-{trouble}-{work}",
        marks=kind_marks(kind, often=(kind, trouble, work) in OFTEN),
    )
    for kind, trouble in ALL
    for work in ("busy", "quiet")
]
pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize(("fire", "trouble", "work"), CASES, indirect=["fire"])
def test_runs_outlive_an_outage_that_is_longer_than_the_lease(fire, trouble, work):
    since = fire.now()
    prefix = f"{trouble}-{work}-{len(fire.diary.began())}"
    flags = {when: fire.flag(f"{prefix}-{when}") for when in ("during", "after")}
    held = {
        when: [
            fire.add(f"{prefix}-{when}-{on_lost}-{number}", "hold", str(flag), on_lost=on_lost)
            for on_lost in ("record", "rerun")
            for number in range(2)
        ]
        for when, flag in flags.items()
    }
    everybody = [*held["during"], *held["after"]]
    ticks = _add_ticks(fire, prefix) if work == "busy" else []
    fire.wait_until_begun(*everybody, *ticks)
    faults = []

    began = time.monotonic()
    with fire.ground.trouble(trouble):
        flags["during"].touch()
        fire.wait_until_over(*held["during"])
        # On a full disk a node that has little to do finds room for that in the pages that it has.
        if trouble not in SHORT and (trouble, work) != ("full", "quiet"):
            faults += _silence(fire.alive, began, 3 * fire.lease + 5, asks_log=trouble not in WAITING)
        time.sleep(max(0.0, began + 1.6 * fire.lease - time.monotonic()))  # what is tested
    works = time.monotonic()

    _wait_until_ended(fire, held["during"])
    took = time.monotonic() - works
    print(f"the outcomes were written after {took:.2f} s")
    # SecantusDB, in MongoDB's place, is slow where many want the same.
    if took > SOON * (3 if fire.ground.kind == "mongodb" else 1):
        faults.append(f"the outcomes were written {took:.1f} s after the store worked again")
    before = fire.diary.began()
    for job_id in ticks:
        wait_for(lambda job_id=job_id: fire.diary.began()[job_id] > before[job_id], "next tick")
    time.sleep(fire.lease / 2)  # so that each node has seen the others' heartbeats
    flags["after"].touch()
    _wait_until_ended(fire, held["after"])
    fire.remove(*ticks)

    try:
        wait_for(lambda: not fire.going(since), "end of what goes on")
    except AssertionError as error:
        raise AssertionError(f"{error}: {fire.going(since)}") from None
    calls = fire.diary.began()
    for job_id in everybody:
        if (found := fire.outcomes(job_id)) != ["succeeded"] or calls[job_id] != 1:
            faults.append(f"{job_id} was called {calls[job_id]} times, and its runs are {found}")
    faults += fire.faults(since, outages=[(began, works)])
    assert len(fire.alive) == 2
    for node in fire.alive:
        try:
            wait_for(lambda node=node: (node.health() or {}).get("ok"), f"good health of {node.name}")
        except AssertionError as error:
            raise AssertionError(f"{error}: {node.health()}") from None
        wait_for(node.has_told_the_end, f"the end of the outage in the log of {node.name}")
    assert not faults, "\n".join(faults)


def _add_ticks(fire, prefix):
    return [
        fire.add(
            f"{prefix}-tick{number}",
            "chatter",
            3000,
            trigger="interval",
            seconds=0.4,
            misfire_policy="all",
            max_instances=50,  # what isn't written yet counts as going on
        )
        for number in range(3)
    ]


def _wait_until_ended(fire, job_ids):
    for job_id in job_ids:
        wait_for(lambda job_id=job_id: None not in (fire.outcomes(job_id) or [None]), f"outcome of {job_id}")


def _silence(nodes, began, patience, *, asks_log):
    """What nodes haven't said of an outage."""
    faults = []
    end = began + patience
    for node in nodes if asks_log else ():
        while not node.logged("WARNING", "ERROR", since=began):
            if time.monotonic() > end:
                faults.append(f"no word of the outage in the log of {node.name}")
                break
            time.sleep(0.05)
    for node in nodes:
        while (health := node.health(1.0)) is None or health["ok"]:
            if time.monotonic() > end:
                faults.append(f"no word of the outage in the health of {node.name}: {health}")
                break
            time.sleep(0.05)
    return faults


@pytest.mark.soak
@pytest.mark.parametrize(
    ("fire", "trouble"),
    [
        pytest.param(kind, trouble, id=f"{kind}-{trouble}", marks=case.marks)
        for case in CASES
        if case.values[2] == "quiet"
        for kind, trouble, _ in [case.values]
    ],
    indirect=["fire"],
)
def test_a_node_is_started_and_another_is_ended_in_an_outage(fire, trouble):
    since = fire.now()
    flag = fire.flag(f"{trouble}-{time.monotonic()}")
    held = [fire.add(f"{flag.stem}-{n}", "hold", str(flag), on_lost="rerun") for n in range(4)]
    fire.wait_until_begun(*held)
    leaver = fire.node_of(held[0])
    faults = []
    began = time.monotonic()
    with fire.ground.trouble(trouble):
        starter = fire.begin()
        time.sleep(fire.lease / 2)  # so that it is noticed
        flag.touch()
        fire.wait_until_over(*held)
        left = time.monotonic()
        leaver.stop()
        took = time.monotonic() - left
    works = time.monotonic()
    try:
        wait_for(lambda: not fire.going(since), "end of what goes on")
    except AssertionError as error:
        raise AssertionError(f"{error}: {fire.going(since)}") from None
    # What a node couldn't write before it ended is found by the next one, and run again where that is asked for.
    right = (["succeeded"], ["lost", "succeeded"])
    ends = {job_id: fire.outcomes(job_id) for job_id in held}
    faults += [f"the runs of {job_id} are {found}" for job_id, found in ends.items() if found not in right]
    work = fire.add(f"{flag.stem}-work", "work")
    fire.wait_until_over(work)
    # A statement that waits for its answer has half a minute, and so has a start.
    if took > (45 if trouble in WAITING else 20):
        faults.append(f"the end of a node took {took:.0f} s")
    if not starter.is_ready():
        # What is wrong for good ends it at once: it is for whoever started it to start it again.
        if trouble not in WRONG_FOR_GOOD and took < 25:
            faults.append(f"a node that was started meanwhile has ended: {starter.log_text()[-2000:]}")
        fire.start(1)
    for node in fire.alive:
        wait_for(lambda node=node: (node.health() or {}).get("ok"), f"good health of {node.name}")
        wait_for(node.has_told_the_end, f"the end of the outage in the log of {node.name}")
    assert len(fire.alive) == 2
    faults += fire.faults(since, outages=[(began, works)])
    assert not faults, "\n".join(faults)
