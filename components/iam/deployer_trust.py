"""Who may assume a pipeline's role: jobs with an OIDC provider's token, by exact repository and environment or branch.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
"""

from __future__ import annotations

from dataclasses import dataclass

from components.iam.statements import Document, document
from myflux_keys.aws_names import CellNames


@dataclass(frozen=True)
class Job:
    """`issuer` is the provider's address without its scheme; `audience` and `subject` are the token's full claims."""

    issuer: str
    audience: str
    subject: str


def provider_arn(names: CellNames, issuer: str) -> str:
    return f"arn:{names.partition}:iam::{names.account_id}:oidc-provider/{issuer}"


def deployer_trust(names: CellNames, job: Job) -> Document:
    """Requires equal claims: a pattern of subjects would also trust other branches, or a pull request from a fork."""
    return document(
        {
            "Sid": "OnlyThisPipeline",
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn(names, job.issuer)},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{job.issuer}:aud": job.audience, f"{job.issuer}:sub": job.subject}},
        }
    )
