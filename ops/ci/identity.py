"""Exchanges a CI job's identity token for a session of the cell's deployer role.

Requests the token from GitHub, or reads GitLab's, and calls STS. No credential is stored: the token and the session
expire within the hour. Child processes get the session through their environment.
https://docs.github.com/en/actions/reference/security/oidc
https://docs.gitlab.com/ci/secrets/id_token_authentication/
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import urllib3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from ops import aws_clients
from ops.ci.failure import Failure
from tenancy import Cell
from tenancy.pipeline import AWS_AUDIENCE, Pipeline

if TYPE_CHECKING:
    from types_boto3_sts import STSClient

GITLAB_VARIABLE: Final = "MYFLUX_ID_TOKEN"
"""The name that .gitlab-ci.yml gives its id token."""
_GITHUB_URL: Final = "ACTIONS_ID_TOKEN_REQUEST_URL"
_GITHUB_BEARER: Final = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_SECONDS: Final = 30.0
_WITH_IDS: Final = re.compile(
    r"repo:(?P<owner>[^@/:]+)@(?P<owner_id>[0-9]+)/(?P<name>[^@/:]+)@(?P<repository_id>[0-9]+):", re.ASCII
)
"""https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/"""
_OWN: Final = (
    _GITHUB_URL,
    _GITHUB_BEARER,
    GITLAB_VARIABLE,
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
"""Not passed to child processes: with these a child would have another identity, or could request one."""


def session(cell: Cell, pipeline: Pipeline, run: str, environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` with the credentials of the cell's deployer role. `run` names the session in CloudTrail."""
    role = cell.names.role_arn(cell.names.deployer_role)
    # The token is the only proof: the call uses no credentials of this machine.
    sts: STSClient = aws_clients.client("sts", config=Config(signature_version=UNSIGNED), region_name=cell.region)
    token = _token(environment)
    try:
        answer = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName=run, WebIdentityToken=token)
    except ClientError as error:
        raise Failure(
            f"AWS does not allow this job to assume {role}: {error.response.get('Error', {}).get('Message', '')} "
            f"The cell's file says that the role trusts only {pipeline.issuer} with the subject {pipeline.subject}. "
            f"{_way_out(cell, pipeline, _subject(token))}"
        ) from None
    credentials = answer["Credentials"]
    kept = {name: value for name, value in environment.items() if name not in _OWN}
    return kept | {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
        "AWS_REGION": cell.region,
        "AWS_DEFAULT_REGION": cell.region,
    }


def _way_out(cell: Cell, pipeline: Pipeline, subject: str) -> str:
    """`subject` is that of this job's token, empty where it cannot be read."""
    up = f"`myflux-keys up --cell {cell.cell}`"
    if subject == pipeline.subject:
        return f"This job's token has that subject: the role is missing or was made from an older file. Run {up}."
    fact = f"This job's token has the subject {subject}. " if subject else ""
    file, ids, github = f"cells/{cell.cell}.yaml", _WITH_IDS.match(subject), pipeline.github
    # If the file already has ids, another repository now has this name.
    if ids and github and not github.owner_id and f"{ids['owner']}/{ids['name']}" == github.repository:
        return (
            f"{fact}Write `owner_id: {ids['owner_id']}` and `repository_id: {ids['repository_id']}` under "
            f"pipeline.github in {file}; then a deployer must run {up}."
        )
    return f"{fact}Run the job there; or change `pipeline` in {file}, and then a deployer must run {up}."


def _subject(token: str) -> str:
    """The token's subject, for the error message only: AWS verifies the token."""
    try:
        body = token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"])
    except (ValueError, IndexError, KeyError, TypeError):
        return ""


def _token(environment: Mapping[str, str]) -> str:
    if environment.get(GITLAB_VARIABLE):
        return environment[GITLAB_VARIABLE]
    url, bearer = environment.get(_GITHUB_URL), environment.get(_GITHUB_BEARER)
    if not url or not bearer:
        raise Failure(
            "this job has no identity: on GitHub give it `permissions: id-token: write`, on GitLab "
            f"`id_tokens: {GITLAB_VARIABLE}: aud: {AWS_AUDIENCE}`."
        )
    address = f"{url}&audience={urllib.parse.quote(AWS_AUDIENCE)}"
    headers = {"Authorization": f"bearer {bearer}"}
    try:
        answer = urllib3.request("GET", address, headers=headers, timeout=_SECONDS, redirect=False, retries=False)
        return str(answer.json()["value"])
    except (urllib3.exceptions.HTTPError, ValueError, KeyError) as error:
        raise Failure(f"GitHub gave no identity token ({type(error).__name__}): run the job again.") from None
