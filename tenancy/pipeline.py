"""The CI pipeline that deploys a cell: the field `pipeline` of `cells/<slug>.yaml`.

Owns which jobs are trusted. Leaves out what they may do (`components/iam/deployer_permissions.py`). Sources:
https://docs.github.com/en/actions/reference/security/oidc
https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
https://docs.gitlab.com/ci/secrets/id_token_authentication/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from tenancy.fields import Model, Text, Whole, refuse, refused
from tenancy.problems import Refusal
from tenancy.state import Bucket, KeyArn

GITHUB_ISSUER: Final = "token.actions.githubusercontent.com"
AWS_AUDIENCE: Final = "sts.amazonaws.com"
OWN_ISSUERS: Final = "MYFLUX_OWN_ISSUERS"
"""Environment variable: the issuers, separated by a space, whose OIDC providers the bootstrap's stack owns;
`myflux-keys bootstrap` sets it, having looked which of them the account has already."""


def _exactly(pattern: str, what: str, way_out: str) -> Callable[[str], str]:
    """A check that the whole text matches. No pattern allows a wildcard, which would trust more jobs than are named, or
    a colon, which would forge the next part of a token's subject."""

    def checked(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            refused("bad-pipeline", what, way_out)
        return text

    return checked


_PART: Final = r"[A-Za-z0-9_.-]+"
Repository = Annotated[
    Text,
    AfterValidator(
        _exactly(
            f"{_PART}/{_PART}",
            "This is not a repository's name.",
            "write owner/name; write ids in owner_id and repository_id.",
        )
    ),
]
Project = Annotated[
    Text,
    AfterValidator(_exactly(f"{_PART}(/{_PART})+", "This is not a project's path.", "write group/project.")),
]
ExactName = Annotated[
    Text,
    AfterValidator(
        _exactly(
            r"[A-Za-z0-9_./-]+",
            "This must be one exact name, since the pipeline is trusted by it.",
            "write it without * and spaces.",
        )
    ),
]


class GitHub(Model):
    """Jobs of one GitHub environment. Its protection rules say which branches may deploy and who approves.

    The subject must equal the one in GitHub's tokens. It holds the two ids or not, depending on the repository's age
    and settings.
    """

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"owner_id": ["repository_id"], "repository_id": ["owner_id"]}}
    )

    repository: Annotated[Repository, Field(description="owner/name.", examples=["myflux/keys"])]
    owner_id: Annotated[
        Whole | None,
        Field(
            ge=1,
            description="The owner's numeric id at GitHub; set it together with repository_id. Needed if the "
            "repository was created, renamed or transferred since 15 July 2026, or opted in: its tokens hold both ids. "
            "`gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints them, in this order.",
            examples=[1234567],
        ),
    ] = None
    repository_id: Annotated[
        Whole | None,
        Field(ge=1, description="The repository's numeric id at GitHub; set it with owner_id.", examples=[89012345]),
    ] = None
    environment: Annotated[
        ExactName, Field(description="The GitHub environment of the jobs that deploy.", examples=["prod-eu1"])
    ]

    @property
    def subject(self) -> str:
        owner, _, name = self.repository.partition("/")
        if self.owner_id is not None:
            owner, name = f"{owner}@{self.owner_id}", f"{name}@{self.repository_id}"
        return f"repo:{owner}/{name}:environment:{self.environment}"

    @model_validator(mode="after")
    def _both_ids(self) -> Self:
        missing = [name for name in ("owner_id", "repository_id") if getattr(self, name) is None]
        if len(missing) == 1:
            reason = "GitHub's tokens hold both ids or neither: a role that requires one of them would trust no job."
            way_out = (
                f"add {missing[0]}: `gh api repos/{self.repository} --jq '.owner.id, .id'` prints both; or delete both."
            )
            refuse(iter([Refusal("one-id", reason, way_out)]))
        return self


class GitLab(Model):
    """Jobs of one branch, which must be protected, since the subject of GitLab's tokens holds no environment."""

    project: Annotated[Project, Field(description="group/project.", examples=["myflux/keys"])]
    branch: Annotated[ExactName, Field(description="The protected branch that deploys.", examples=["main"])]
    host: Annotated[ExactName, Field(description="GitLab's host name.")] = "gitlab.com"

    @property
    def subject(self) -> str:
        return f"project_path:{self.project}:ref_type:branch:ref:{self.branch}"


class Pipeline(Model):
    """The jobs that may assume the cell's deployer role. A person's `up` of the platform creates the role."""

    github: Annotated[GitHub | None, Field(description="A GitHub pipeline. Set github or gitlab, not both.")] = None
    gitlab: Annotated[GitLab | None, Field(description="A GitLab pipeline. Set github or gitlab, not both.")] = None
    deploys: Annotated[
        Literal["tenants", "everything"],
        Field(
            description="tenants: the pipeline deploys tenants' stacks only; a person deploys the platform. "
            "everything: also the functions' code, which reads keys, so whoever approves a run could read keys.",
        ),
    ] = "tenants"
    state_bucket: Annotated[
        Bucket | None,
        Field(description="Replaced by the cell's `state.bucket`.", json_schema_extra={"deprecated": True}),
    ] = None
    state_key_arn: Annotated[
        KeyArn | None,
        Field(description="Replaced by the cell's `state.kms_key`.", json_schema_extra={"deprecated": True}),
    ] = None

    @property
    def issuer(self) -> str:
        return self.gitlab.host if self.gitlab else GITHUB_ISSUER

    @property
    def subject(self) -> str:
        chosen = self.gitlab or self.github
        return chosen.subject if chosen else ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.github is None) == (self.gitlab is None):
            reason = "A pipeline needs exactly one of github and gitlab."
            refuse(iter([Refusal("one-pipeline", reason, "keep one of github and gitlab.")]))
        return self
