"""What the table says of the fleet's command."""

from __future__ import annotations

from bench.many_stacks import Taken, figures

ONE, TWO, DASK = Taken(8, 32.0, 300.0), Taken(8, 16.0, 500.0), Taken(8, 15.0, None)


def test_throughput_stands_beside_dask_and_the_goal_is_for_finding_a_change() -> None:
    told = {figure.name: figure for figure in figures(ONE, TWO, DASK, 10_000, [1.0, 0.9, 1.4])}
    assert told["tenants a minute, 1 worker"].value == 15.0
    assert told["tenants a minute, 2 workers"].value == 30.0
    assert told["tenants a minute, 2 workers"].peer == "Dask: 32.0 a minute"
    assert told["2 workers over 1"].value == 2.0
    assert told["memory, 2 workers and their engines"].peer == "", "what could not be measured is not told as 0"
    assert told["one change found in 10,000 tenant files"].met is True
    late = figures(ONE, TWO, DASK, 10_000, [2.5])[-1]
    assert late.met is False
