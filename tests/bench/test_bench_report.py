"""The table as people and programs read it, and the command that makes it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench import report, terraform
from bench.__main__ import BENCHES, LISTED, SCALED, take
from bench.figures import Figure
from bench.report import Report
from bench.stage import ROOT

MACHINE: dict[str, Any] = {
    "cpu": "Some CPU",
    "cores": 2,
    "memory_gib": 4.0,
    "kernel": "Linux 6",
    "python": "3.11.7",
    "engine": "pulumi 3.250.0",
    "packages": {"boto3": "1.2"},
    "load": 0.1,
}
MET = Figure("quick | thing", 1.0, "s", "<= 2", True, "peer: 2 s", "a note")
MISSED = Figure("slow thing", 3.0, "s", "<= 2", False)
UNSHOWN = Figure("lonely thing", 3.0, "s", "<= Terraform's", None, "not there: no terraform on PATH")


def made(*figures: Figure, failed: dict[str, str] | None = None, quick: bool = False) -> Report:
    return Report({"some": figures}, failed or {}, MACHINE, "2026-11-22T00:00:00+00:00", 12.3, quick)


def test_a_missed_goal_and_a_failed_bench_are_not_ok() -> None:
    assert made(MET).ok
    assert not made(MET, MISSED).ok
    assert not made(MET, failed={"growth": "it broke"}).ok


def test_what_could_not_be_compared_is_counted_apart() -> None:
    assert made(MET, UNSHOWN).summary == "1 of 2 goals met; 1 not measured"


def test_a_quick_run_never_passes_for_a_measurement() -> None:
    assert "its figures are not valid" in made(MET, quick=True).summary


def test_markdown_holds_every_figure_machine_and_version() -> None:
    text = report.as_markdown(made(MET, MISSED, UNSHOWN, failed={"growth": "it\nbroke"}))
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 5, "a heading, three figures, one failure"
    assert "quick \\| thing" in text, "a bar in a name would break the table"
    assert "Some CPU, 2 cores, 4.0 GiB, Linux 6" in text
    assert "boto3 1.2" in text
    assert "pulumi 3.250.0" in text
    assert "not there: no terraform on PATH" in text
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1, "every row has every column"


def test_json_says_verdicts_and_keeps_what_is_unknown_unknown() -> None:
    document = json.loads(report.as_json(made(MET, UNSHOWN)))
    assert [(f["bench"], f["verdict"], f["met"]) for f in document["figures"]] == [
        ("some", "met", True),
        ("some", "not measured", None),
    ]
    assert document["machine"]["engine"] == "pulumi 3.250.0"


def test_the_terminal_shows_what_the_files_hold() -> None:
    out = io.StringIO()
    report.show(made(MET, MISSED, UNSHOWN), Console(file=out, width=200))
    shown = out.getvalue()
    for text in ("quick | thing [1]", "MISSED", "not measured", "[1] a note", "1 of 3 goals met", "Some CPU"):
        assert text in shown


def test_a_bench_that_raises_leaves_the_others_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(bench: str, home: Path, *, quick: bool) -> list[Figure]:
        if bench == "reader":
            raise RuntimeError("no luck")
        return [MET]

    monkeypatch.setattr("bench.__main__.figures_of", answer)
    found = take(["reader", "growth"], ROOT, quick=True, console=Console(file=io.StringIO()))
    assert found.failed == {"reader": "RuntimeError: no luck"}
    assert list(found.figures) == ["growth"]
    assert not found.ok


def test_every_bench_has_a_module() -> None:
    missing = [bench for bench in BENCHES if not (ROOT / "bench" / f"{bench}.py").is_file()]
    assert not missing
    assert set(BENCHES) == {*LISTED, *SCALED}


def test_an_unknown_bench_is_refused_before_anything_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "nonsense"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "there is no bench nonsense: there are reader" in done.stderr


@pytest.mark.engine
def test_a_quick_run_gives_every_figure_with_or_without_the_peer(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    try:
        terraform.find(environment)
    except terraform.NotThere:
        verdicts = {"not measured"}
    else:
        verdicts = {"met", "MISSED"}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "add_tenant", "--quick", "--json", "--home", str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    document = json.loads(done.stdout)
    assert document["failed"] == {}, done.stderr
    assert all(figure["value"] for figure in document["figures"]), "each was measured"
    assert {figure["verdict"] for figure in document["figures"]} <= verdicts, "without a peer nothing is green"
    assert document == json.loads((tmp_path / "part" / "report.json").read_text(encoding="utf-8"))
    assert not (tmp_path / "add-tenant" / "cell.json").exists(), "the cell is gone afterwards"
