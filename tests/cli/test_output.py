"""What a command prints of names that others gave: a project at OpenAI, a model, a value in a remembered trouble."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ops.actions import read_reports
from ops.actions.history import Life
from ops.actions.rotate import new_token
from ops.cli import output
from ops.cli.main import attempt
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


def test_a_version_of_a_keys_history_fits_a_terminal_of_eighty_columns_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    minted = datetime(2026, 11, 30, 12, tzinfo=UTC)
    life = Life(new_token("rotate"), "current", minted, minted, None, "rotate", "user/deployer", "quarterly", "")
    monkeypatch.setattr(read_reports, "lives", lambda *_: [life])
    monkeypatch.setenv("COLUMNS", "80")
    assert attempt(["history", "acme"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    first, second = lines[2:]
    assert first.split() == [life.version, "current"]
    assert second == '  2026-11-30 12:00Z  2026-11-30 12:00Z  -     rotate (deployer) "quarterly"'
