"""The trust that a cell's `pipeline` gives its role takes that job's token, and no fork's, branch's or stranger's.

The tokens are signed as GitHub and GitLab sign theirs, and the job exchanges them by the code that CI runs. The
subjects are written out, from their documentation:
https://docs.github.com/en/actions/reference/security/oidc
https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
https://docs.gitlab.com/ci/secrets/id_token_authentication/
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

import tenancy
from components.iam.deployer_trust import Job, deployer_trust
from local import addresses
from local.issuer import Issuer
from ops.ci import identity
from ops.ci.failure import Failure
from tenancy.pipeline import AWS_AUDIENCE
from tests.aws_iam.served import Cell

ROOT = Path(__file__).resolve().parents[2]
AUDIENCE = "sts.amazonaws.com"
GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.com"
IDS = {"owner_id": 1234567, "repository_id": 89012345}
NAME = {"repository": "myflux/keys", "environment": "prod"}

PIPELINES: dict[str, tuple[dict[str, Any], str, str]] = {
    "GitHub, with ids": (
        {"github": NAME | IDS},
        GITHUB,
        "repo:myflux@1234567/keys@89012345:environment:prod",
    ),
    "GitHub, without": ({"github": NAME}, GITHUB, "repo:myflux/keys:environment:prod"),
    "GitLab": (
        {"gitlab": {"project": "myflux/platform/keys", "branch": "main"}},
        GITLAB,
        "project_path:myflux/platform/keys:ref_type:branch:ref:main",
    ),
}
OTHERS = {
    "GitHub, with ids": {
        "a fork": "repo:stranger@7654321/keys@55555555:environment:prod",
        "a fork's pull request": "repo:myflux@1234567/keys@89012345:pull_request",
        "another branch": "repo:myflux@1234567/keys@89012345:ref:refs/heads/main",
        "another repository": "repo:myflux@1234567/site@89012346:environment:prod",
        "the name, taken over": "repo:myflux@1234567/keys@99999999:environment:prod",
        "the form without ids": "repo:myflux/keys:environment:prod",
        "another environment": "repo:myflux@1234567/keys@89012345:environment:prod-two",
    },
    "GitHub, without": {
        "a fork": "repo:stranger/keys:environment:prod",
        "a fork's pull request": "repo:myflux/keys:pull_request",
        "another branch": "repo:myflux/keys:ref:refs/heads/topic",
        "another repository": "repo:myflux/keys-two:environment:prod",
        "the form with ids": "repo:myflux@1234567/keys@89012345:environment:prod",
    },
    "GitLab": {
        "a fork": "project_path:stranger/keys:ref_type:branch:ref:main",
        "another branch": "project_path:myflux/platform/keys:ref_type:branch:ref:topic",
        "a tag of the branch's name": "project_path:myflux/platform/keys:ref_type:tag:ref:main",
        "another project": "project_path:myflux/platform/site:ref_type:branch:ref:main",
    },
}


@pytest.fixture(scope="module")
def issuers(cell: Cell) -> Iterator[Mapping[str, Issuer]]:
    with ExitStack() as stack:
        found = {host: stack.enter_context(Issuer.serving(host)) for host in (GITHUB, GITLAB)}
        iam = cell.client("administrator", "iam")
        for host, issuer in found.items():
            addresses.publish(cell.home, host, issuer.url)
            iam.create_open_id_connect_provider(Url=f"https://{host}", ClientIDList=[AUDIENCE])
        yield found


class Pipelines:
    """One cell's file, its role, and who tries to become it."""

    def __init__(self, cell: Cell, folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        section, self.host, self.subject = PIPELINES[kind]
        fields = yaml.safe_load((ROOT / "cells" / "local.yaml").read_text("utf-8"))
        state = {"bucket": "myflux-state", "kms_key": "arn:aws:kms:us-east-1:000000000000:key/ab12"}
        (folder / "cells").mkdir()
        (folder / "tenants").mkdir()
        text = yaml.safe_dump(fields | {"state": state, "pipeline": section})
        (folder / "cells" / "local.yaml").write_text(text, "utf-8")
        self.cell = tenancy.load(folder).cells["local"]
        assert self.cell.pipeline is not None
        self.pipeline = self.cell.pipeline
        trust = deployer_trust(self.cell.names, Job(self.pipeline.issuer, AWS_AUDIENCE, self.pipeline.subject))
        self._iam, self._role = cell.client("administrator", "iam"), self.cell.names.deployer_role
        self._iam.create_role(RoleName=self._role, AssumeRolePolicyDocument=json.dumps(trust))
        monkeypatch.setenv("AWS_ENDPOINT_URL", cell.url)

    def become(self, token: str) -> Mapping[str, str]:
        """Raises Failure."""
        return identity.session(self.cell, self.pipeline, "job", {identity.GITLAB_VARIABLE: token})

    def refused(self, token: str) -> bool:
        try:
            self.become(token)
        except Failure as failure:
            return "AWS does not allow this job to assume" in str(failure)
        return False

    def end(self) -> None:
        self._iam.delete_role(RoleName=self._role)


@pytest.mark.parametrize("kind", PIPELINES)
def test_the_pipelines_own_job_becomes_the_role_and_no_other(
    cell: Cell, issuers: Mapping[str, Issuer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    here = Pipelines(cell, tmp_path, kind, monkeypatch)
    issuer, right = issuers[here.host], {"aud": AUDIENCE, "sub": here.subject}
    other = next(found for host, found in issuers.items() if host != here.host)
    past = int(time.time()) - 10
    wrong = {who: issuer.token(right | {"sub": subject}) for who, subject in OTHERS[kind].items()} | {
        "an earlier job": issuer.token(right | {"iat": past - 300, "nbf": past - 300, "exp": past}),
        "a token for somebody else": issuer.token(right | {"aud": "https://github.com/myflux"}),
        "another issuer": other.token(right),
        "another issuer's signature": other.token(right | {"iss": f"https://{here.host}"}),
    }
    try:
        assert here.become(issuer.token(right))["AWS_SESSION_TOKEN"]
        assert {who: here.refused(token) for who, token in wrong.items()} == dict.fromkeys(wrong, True)
    finally:
        here.end()
