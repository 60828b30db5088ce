"""What the table says of the longest read over a rotation and an outage."""

from __future__ import annotations

from bench.figures import from_rows
from bench.reader_outage import NEW, OLD, Seen, rows_of


def seen(longest: float = 0.001, errors: int = 0, last: str = NEW) -> list[Seen]:
    return [Seen(0.0005, 0.0001, 10, 0, NEW), Seen(longest, 0.0002, 10, errors, last)]


def test_the_longest_read_of_all_threads_counts_beside_the_peers() -> None:
    rows = [
        *rows_of("myflux_keys", seen(0.004), 60),
        *rows_of("powertools", seen(6.0, last=OLD), 60),
    ]
    ours, machine = from_rows(rows)
    assert ours.name == "longest get over a rotation and 60 s without AWS (0 of 20 failed)"
    assert (ours.value, ours.verdict) == (4.0, "met")
    assert ours.peer == "powertools (0 of 20 failed): 6,000 ms"
    assert (machine.value, machine.verdict) == (0.2, ""), "what the machine itself adds has no goal"


def test_a_late_a_failed_and_an_old_answer_miss_the_goal() -> None:
    for taken in (seen(0.0051), seen(errors=1), seen(last=OLD)):
        assert rows_of("myflux_keys", taken, 60)[0]["ok"] is False
