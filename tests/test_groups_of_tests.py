"""Tests of one group are run by one process of pytest-xdist: a mark that does nothing is not noticed otherwise, but by slow runs."""

from __future__ import annotations

import pytest

GROUP = "kept together"


@pytest.mark.xdist_group(GROUP)
def test_groups_are_kept_together(request):
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("not run by several processes")
    # It is by this that pytest-xdist tells groups.
    assert request.node.nodeid.endswith(f"@{GROUP}")
