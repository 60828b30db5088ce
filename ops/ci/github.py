"""Calls GitHub's REST API for one repository, with the token of a job."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Final

import urllib3

from ops.ci.failure import Failure

_SECONDS: Final = 30.0


@dataclass(frozen=True)
class GitHub:
    url: str
    repository: str
    token: str = field(repr=False)

    @classmethod
    def of_this_job(cls) -> GitHub:
        missing = [name for name in ("GITHUB_TOKEN", "GITHUB_REPOSITORY") if not os.environ.get(name)]
        if missing:
            raise Failure(f"{' and '.join(missing)} must be set: GitHub's runner provides both to a job.")
        url = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        return cls(url, os.environ["GITHUB_REPOSITORY"], os.environ["GITHUB_TOKEN"])

    def ask(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        url = f"{self.url}/repos/{self.repository}/{path}"
        try:
            answer = urllib3.request(
                method, url, headers=headers, json=body, timeout=_SECONDS, redirect=False, retries=False
            )
            if answer.status >= 300:
                raise Failure(f"GitHub answers {answer.status} to {method} {path}: check the job's `permissions`.")
            return answer.json()
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise Failure(
                f"GitHub did not answer {method} {path} ({type(error).__name__}): run the job again."
            ) from None
