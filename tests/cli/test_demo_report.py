"""The demo's report: its file, its verdict, and which checks there are."""

from __future__ import annotations

import ast
import inspect
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo import (
    access,
    connecting,
    handing_over,
    keyless,
    play,
    proposing,
    proving,
    provisioning,
    rotating,
    settling,
    spending,
    sweeping,
    traces,
    watching,
)
from demo.report import CheckFailed, Report
from tests.cli.conftest import ROOT

CHECKS = [
    "cell-up",
    "platform-up",
    "admin-key-stored",
    "tenants-up",
    "first-keys-minted",
    "runtime-answers",
    "policies-pass",
    "isolation-proven",
    "cross-tenant-denied",
    "strangers-denied",
    "rotation-zero-downtime",
    "old-key-dies",
    "crash-recovery",
    "sweep-finds-orphans",
    "health-finds-trouble",
    "usage-and-cost",
    "estimate-matches-bill",
    "connect-page",
    "scanner-spends-nothing",
    "cinnox-handover",
    "keyless-tenant",
    "no-key-leaked",
    "second-up-unchanged",
    "fleet-up",
    "tenant-from-pull-request",
    "disable-denies",
    "destroy-leaves-nothing",
]
FOUNDATIONS = CHECKS[:6]


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def report(tmp_path: Path, screen: io.StringIO) -> Report:
    return Report(tmp_path / "deep" / "report.json", Console(file=screen, width=200))


def _document(report: Report) -> dict[str, Any]:
    return json.loads(report._path.read_text(encoding="utf-8"))


def _fails(error: Exception) -> Callable[[], str]:
    def check() -> str:
        raise error

    return check


def test_the_file_has_the_shape_that_machines_expect(report: Report) -> None:
    report.run("cell-up", lambda: "both sides answer")
    report.figures["tenants"] = 4
    report.finish()
    written = _document(report)
    assert written.keys() == {"checks", "figures"}
    (check,) = written["checks"]
    assert check.keys() == {"name", "ok", "seconds", "detail"}
    assert (check["name"], check["ok"], check["detail"]) == ("cell-up", True, "both sides answer")
    assert isinstance(check["seconds"], float)
    assert written["figures"] == {"tenants": 4}
    assert report.ok


def test_one_failed_check_fails_the_whole_and_keeps_its_reason(report: Report, screen: io.StringIO) -> None:
    assert report.run("cell-up", lambda: "fine")
    assert not report.run("platform-up", _fails(CheckFailed("35 of 36")))
    report.finish()
    assert not report.ok
    failed = _document(report)["checks"][1]
    assert failed["ok"] is False
    assert "35 of 36" in failed["detail"]
    assert "1 of 2 checks passed" in screen.getvalue()


def test_a_check_that_breaks_is_a_failed_check(report: Report) -> None:
    assert not report.run("cell-up", _fails(ZeroDivisionError("by nobody")))
    assert "ZeroDivisionError" in _document(report)["checks"][0]["detail"]


def test_what_was_left_out_counts_as_failed(report: Report) -> None:
    report.run("cell-up", lambda: "fine")
    report.leave_out("platform-up", "cell-up failed")
    assert not report.ok
    assert _document(report)["checks"][1]["ok"] is False


def test_a_report_without_checks_is_no_success(report: Report) -> None:
    assert not report.ok


def test_a_key_in_a_detail_reaches_neither_file_nor_screen(report: Report, screen: io.StringIO) -> None:
    key = "sk-" + "svcacct-" + "x" * 30
    report.run("one", lambda: f"read {key}")
    report.run("two", _fails(CheckFailed(f"found {key}")))
    assert key not in report._path.read_text(encoding="utf-8") + screen.getvalue()


def test_brackets_in_a_detail_are_text_and_no_markup(report: Report, screen: io.StringIO) -> None:
    report.run("one", lambda: "[bold]as it stands[/]")
    assert "[bold]as it stands[/]" in screen.getvalue()


def test_what_was_found_before_an_interruption_is_in_the_file(report: Report) -> None:
    report.run("cell-up", lambda: "fine")
    with pytest.raises(KeyboardInterrupt):
        report.run("platform-up", _fails(KeyboardInterrupt()))  # pyright: ignore[reportArgumentType]
    assert [check["name"] for check in _document(report)["checks"]] == ["cell-up"]


def test_the_checks_are_these_in_this_order() -> None:
    tree = ast.parse(inspect.getsource(play.play))
    named = [
        node.elts[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Tuple)
        and isinstance(node.elts[0], ast.Constant)
        and isinstance(node.elts[0].value, str)
    ]
    ordered = sorted(named, key=lambda name: inspect.getsource(play.play).index(f'"{name}"'))
    assert ordered == CHECKS


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every check of the demo passes at once, but those named in the set, which fail."""
    failing: set[str] = set()
    proofs = (
        proving,
        access,
        rotating,
        sweeping,
        watching,
        spending,
        connecting,
        handing_over,
        keyless,
        traces,
        settling,
        proposing,
    )
    for module in (provisioning, *proofs):
        for name in CHECKS:
            function = name.replace("-", "_")
            if hasattr(module, function):

                def check(*_: object, name: str = name) -> str:
                    if name in failing:
                        raise CheckFailed("as told")
                    return "seen"

                monkeypatch.setattr(module, function, check)
    return failing


def _play(tmp_path: Path, *, keep: bool = False) -> tuple[Report, list[dict[str, Any]]]:
    report = play.play(tmp_path, keep=keep, console=Console(file=io.StringIO()))
    return report, json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["checks"]


def test_all_checks_run_in_order_and_all_green_is_a_success(stubbed: set[str], tmp_path: Path) -> None:
    report, checks = _play(tmp_path)
    assert [check["name"] for check in checks] == CHECKS
    assert report.ok


def test_keep_leaves_out_the_last_two(stubbed: set[str], tmp_path: Path) -> None:
    report, checks = _play(tmp_path, keep=True)
    assert [check["name"] for check in checks] == CHECKS[:-2]
    assert report.ok


@pytest.mark.parametrize("broken", FOUNDATIONS)
def test_a_broken_foundation_leaves_out_the_rest_and_says_so(stubbed: set[str], tmp_path: Path, broken: str) -> None:
    stubbed.add(broken)
    report, checks = _play(tmp_path)
    assert [check["name"] for check in checks] == CHECKS, "every check is in the report, run or not"
    rest = checks[CHECKS.index(broken) + 1 :]
    assert all(check["detail"] == f"not run: {broken} failed" and not check["ok"] for check in rest)
    assert not report.ok


@pytest.mark.parametrize("broken", CHECKS[6:])
def test_a_failed_proof_does_not_stop_the_others(stubbed: set[str], tmp_path: Path, broken: str) -> None:
    stubbed.add(broken)
    report, checks = _play(tmp_path)
    assert [check["name"] for check in checks if not check["ok"]] == [broken]
    assert not report.ok


@pytest.mark.parametrize(("broken", "code"), [(None, 0), ("old-key-dies", 1), ("cell-up", 1)])
def test_the_command_ends_with_one_when_any_check_failed(
    stubbed: set[str], tmp_path: Path, broken: str | None, code: int
) -> None:
    from typer.testing import CliRunner

    from ops.cli.main import app

    if broken:
        stubbed.add(broken)
    assert CliRunner().invoke(app, ["demo", "--home", str(tmp_path)]).exit_code == code
    assert ROOT.joinpath("demo").is_dir()
