"""Who can't use what is kept is told so, with the names of those in the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mainspring.engine.setbacks import KnownNode
from mainspring.errors import ConfigurationError
from mainspring.jobstores.shared.versions import refuse_living, refuse_newer
from mainspring.testing.conformance import START


def node(name, *, alive=True, ago=0.0):
    return KnownNode(1, name, START - timedelta(seconds=ago), 10_000, alive)


@pytest.mark.parametrize(
    "known",
    [[], [node("left", alive=False)], [node("silent", ago=10.001)]],
    ids=["none", "left", "silent for its lease"],
)
def test_who_is_not_at_work_is_in_nobodys_way(known):
    refuse_living("the tables", 3, 4, known, START)


def test_who_is_at_work_is_named():
    known = [node("b"), node("a"), node("b"), node("left", alive=False), node("late", ago=10.0)]
    with pytest.raises(ConfigurationError) as caught:
        refuse_living("the tables", 3, 4, known, START)
    assert str(caught.value) == (
        "the tables have version 3, and this release needs version 4, which older releases can't use. Nodes of an older release "
        "are at work: a, b, late. End them, and start this one when they have ended (or a lease after they were killed); or go on "
        "with the older release until they may be ended"
    )


@pytest.mark.parametrize(("found", "is_refused"), [(3, False), (4, False), (5, True)])
def test_what_a_newer_release_has_made_is_refused(found, is_refused):
    if not is_refused:
        refuse_newer("the tables", found, 4)
        return
    with pytest.raises(
        ConfigurationError, match="the tables have version 5, but only 4 and older are understood"
    ):
        refuse_newer("the tables", found, 4)
