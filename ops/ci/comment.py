"""Writes a check's report under its pull request: one comment, written anew each time.

Runs by itself after the check, from the default branch, with a token that may comment: nothing of the pull request's
code is ever run, or even checked out, where this token is. The number that the report came with is believed only where
the pull request's head is the commit that was checked.
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
    """What was done, in words. Raises Failure where the report is not about the pull request that it names."""
    number = report.number(folder)
    pull = github.ask("GET", f"pulls/{number}")
    if pull["head"]["sha"] != head:
        # Also the ordinary case of a push while the check ran: the next check writes the comment.
        return f"pull request {number} is at another commit than the one that was checked: nothing was written."
    text = report.comment(folder)
    for found in _comments(github, number):
        # Only our own: anybody may write a comment that begins with the mark.
        if found["user"]["type"] == "Bot" and found["body"].startswith(report.MARK):
            github.ask("PATCH", f"issues/comments/{found['id']}", {"body": text})
            return f"the comment under pull request {number} is written anew."
    github.ask("POST", f"issues/{number}/comments", {"body": text})
    return f"a comment stands under pull request {number}."


def _comments(github: GitHub, number: int) -> Iterator[dict[str, Any]]:
    """https://docs.github.com/en/rest/issues/comments"""
    for page in range(1, _PAGES + 1):
        found = github.ask("GET", f"issues/{number}/comments?per_page={_PAGE}&page={page}")
        yield from found
        if len(found) < _PAGE:
            return


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.ci.comment", description=__doc__)
    parser.add_argument("--report", type=Path, required=True, metavar="FOLDER", help="what ops.ci.check left")
    parser.add_argument("--head", required=True, metavar="SHA", help="the commit that was checked")
    asked = parser.parse_args()
    print(publish(GitHub.of_this_job(), asked.report, asked.head))
    return 0


if __name__ == "__main__":
    failure.run(main)
