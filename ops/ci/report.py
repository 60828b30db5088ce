"""The two files with which the check job hands its report to the comment job. Their content is not trusted."""

# A fork's code may have written anything: the number must be digits; the text is cut to a comment's length, mentions
# nobody, and cannot imitate another tool's comment.

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from myflux_keys.redaction import redact
from ops.ci.failure import Failure

REPORT: Final = "report.md"
NUMBER: Final = "number"
MARK: Final = "<!-- myflux-keys check -->"
"""First line of the comment: the next run finds the comment to update by it."""

_LONGEST: Final = 60_000
"""GitHub takes 65,536 characters, GitLab more."""
_CUT: Final = "\n\n*The report is longer than a comment may be. The job's page has the complete report.*"


def number(folder: Path) -> int:
    """The pull request's number, as the job that ran the fork's code wrote it."""
    path = folder / NUMBER
    text = path.read_bytes()[:20].decode("ascii", "replace").strip() if path.is_file() else ""
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text, re.ASCII):
        raise Failure(f"{path} has no pull request number, because the check stopped before it wrote one. See its log.")
    return int(text)


def comment(folder: Path) -> str:
    """The comment's whole text."""
    path = folder / REPORT
    if not path.is_file():
        raise Failure(f"{path} is missing, because the check stopped before it wrote the report. See its log.")
    with path.open("rb") as file:
        text = file.read(4 * _LONGEST).decode("utf-8", "replace")
    text = redact(text).replace("<!--", "&lt;!--")
    # A zero-width space after the at sign, so that a report notifies nobody.
    text = re.sub(r"@(?=\w)", "@\u200b", text)
    return f"{MARK}\n{text if len(text) <= _LONGEST else text[:_LONGEST] + _CUT}"
