"""The line on stderr of a command that is mostly quick."""

from __future__ import annotations

import threading
import time

import pytest

from ops.cli.progress import Later


def test_a_quick_command_says_nothing_of_its_progress(capsys: pytest.CaptureFixture[str]) -> None:
    before = threading.active_count()
    with Later(3600) as progress:
        progress.say("looking at AWS")
    assert capsys.readouterr().err == ""
    assert threading.active_count() == before, "its timer has ended"


def test_a_slow_one_says_what_it_waits_for_even_where_nothing_new_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with Later(0.01) as progress:
        progress.say("looking at this machine")
        progress.say("looking at AWS")
        give_up = time.monotonic() + 30
        said = ""
        while not said and time.monotonic() < give_up:
            time.sleep(0.01)
            said = capsys.readouterr().err
    assert said == "looking at AWS\n"
