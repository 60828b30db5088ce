"""Writes a check's report as a comment on its pull request, or updates that comment.

Runs after the check, from the default branch, with a token that may comment: the pull request's code is never run or
checked out where this token is. The pull request's number comes from the report, and is accepted only if the pull
request's head is the commit that was checked.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ops.ci import failure, report
from ops.ci.github import GitHub

_PAGE: Final = 100
_PAGES: Final = 30


def publish(github: GitHub, folder: Path, head: str) -> str:
    """Returns a sentence about what was done. Raises Failure where the report cannot be read."""
    number = report.number(folder)
    pull = github.ask("GET", f"pulls/{number}")
    if pull["head"]["sha"] != head:
        # This also happens after a push while the check ran: the next check writes the comment.
        return f"pull request {number} has a newer commit than the one that was checked: nothing was written."
    text = report.comment(folder)
    for found in _comments(github, number):
        # Only our own: anybody may write a comment that begins with the mark.
        if found["user"]["type"] == "Bot" and found["body"].startswith(report.MARK):
            github.ask("PATCH", f"issues/comments/{found['id']}", {"body": text})
            return f"updated the comment on pull request {number}."
    github.ask("POST", f"issues/{number}/comments", {"body": text})
    return f"wrote a comment on pull request {number}."


def _comments(github: GitHub, number: int) -> Iterator[dict[str, Any]]:
    """https://docs.github.com/en/rest/issues/comments"""
    for page in range(1, _PAGES + 1):
        found = github.ask("GET", f"issues/{number}/comments?per_page={_PAGE}&page={page}")
        yield from found
        if len(found) < _PAGE:
            return


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.ci.comment", description=__doc__)
    parser.add_argument(
        "--report", type=Path, required=True, metavar="FOLDER", help="the folder that ops.ci.check wrote"
    )
    parser.add_argument("--head", required=True, metavar="SHA", help="the commit that was checked")
    arguments = parser.parse_args()
    print(publish(GitHub.of_this_job(), arguments.report, arguments.head))
    return 0


if __name__ == "__main__":
    failure.run(main)
