"""What a command prints of names that others gave: a project at OpenAI, a model, a value in a remembered trouble."""

from __future__ import annotations

import pytest

from ops.cli import output
from ops.cli.progress import Line

KEY = "sk-" + "proj-" + "A1b2" * 8
HOSTILE = f"a\x1b[2J\x1b]0;owned\x07b\r\x9b31m\u202egnp\u200f {KEY}"
SHOWN = "a\\x1b[2J\\x1b]0;owned\\x07b\\r\\x9b31m\\u202egnp\\u200f [redacted]"


def test_a_result_cannot_steer_the_terminal_and_shows_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    output.result({"name": HOSTILE}, f"Ünïcode, עברית:\n\t{HOSTILE}", as_json=False)
    assert capsys.readouterr().out == f"Ünïcode, עברית:\n\t{SHOWN}\n"
    output.result({"name": HOSTILE}, "", as_json=True)
    told = capsys.readouterr().out
    assert told.isascii()
    assert KEY not in told


def test_neither_can_a_step_an_error_or_the_progress(capsys: pytest.CaptureFixture[str]) -> None:
    output.step(HOSTILE)
    output.error(HOSTILE)
    with Line() as line:
        line.say(HOSTILE)
    assert capsys.readouterr().err.splitlines() == [SHOWN, f"myflux-keys: {SHOWN}", SHOWN]
