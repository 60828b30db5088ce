"""The comment under a pull request: updated the comment in its place, and never what a stranger would have it say."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.ci import comment, report
from ops.ci.failure import Failure
from ops.ci.github import GitHub
from tests.ci.stand_in import GitHubStandIn


@pytest.fixture
def api(github: GitHubStandIn) -> GitHub:
    github.pulls, github.comments = {7: "a" * 40}, []
    return GitHub(github.url, "myflux/keys", "the job's")


def left(folder: Path, text: str = "A new tenant.", number: str = "7") -> Path:
    (folder / report.REPORT).write_text(text, encoding="utf-8")
    (folder / report.NUMBER).write_text(number, encoding="utf-8")
    return folder


def test_a_second_report_replaces_the_first(api: GitHub, github: GitHubStandIn, tmp_path: Path) -> None:
    github.comments = [
        {"id": n, "user": {"type": "User"}, "body": f"{report.MARK}\nsomebody's" if n == 3 else "talk"}
        for n in range(1, 121)
    ]
    assert "wrote a comment" in comment.publish(api, left(tmp_path), "a" * 40)
    assert "updated the comment" in comment.publish(api, left(tmp_path, "Two tenants."), "a" * 40)
    assert len(github.comments) == 121, "it finds its own on the second page, and not another's with the same mark"
    assert github.comments[-1]["body"] == f"{report.MARK}\nTwo tenants."


def test_a_report_of_another_commit_is_not_written(api: GitHub, github: GitHubStandIn, tmp_path: Path) -> None:
    assert "nothing was written" in comment.publish(api, left(tmp_path), "b" * 40)
    with pytest.raises(Failure, match="404"):
        comment.publish(api, left(tmp_path, number="8"), "a" * 40)
    assert github.comments == []


@pytest.mark.parametrize("number", ["", "7/../../x", "seven", "0", "7\n8", "9" * 30])
def test_what_is_no_number_names_no_pull_request(number: str, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no pull request number"):
        report.number(left(tmp_path, number=number))


def test_a_strangers_report_calls_nobody_hides_nothing_and_ends(tmp_path: Path) -> None:
    key = "sk-" + "proj-" + "a1B2" * 12
    text = report.comment(left(tmp_path, f"@everyone <!-- hidden --> {key} " + "x" * 200_000))
    assert "@everyone" not in text
    assert "<!-- hidden" not in text
    assert key not in text
    assert len(text) < 65_536, "GitHub takes no more"


def test_a_missing_permission_is_named(github: GitHubStandIn, tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"401.*check the job's `permissions`"):
        comment.publish(GitHub(github.url, "myflux/keys", "another's"), left(tmp_path), "a" * 40)
