"""The pipeline that deploys a cell: what `pipeline` in `cells/<slug>.yaml` may say.

Owns which jobs are trusted, written out whole. Leaves out what they may do (`components/iam/deployer.py`).
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

GITHUB_ISSUER: Final = "token.actions.githubusercontent.com"
AWS_AUDIENCE: Final = "sts.amazonaws.com"


def _exactly(pattern: str, what: str, way_out: str) -> Callable[[str], str]:
    """No pattern holds a wildcard or a colon: the first would trust more jobs than are named, the second forges a
    subject's next part."""

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
            "write owner/name; ids go into owner_id and repository_id.",
        )
    ),
]
Project = Annotated[
    Text,
    AfterValidator(_exactly(f"{_PART}(/{_PART})+", "This is not a project's path.", "write group/project.")),
]
Place = Annotated[
    Text,
    AfterValidator(
        _exactly(r"[A-Za-z0-9_./-]+", "A pipeline is trusted by one exact name.", "write it without * or spaces.")
    ),
]
Bucket = Annotated[
    Text,
    AfterValidator(
        _exactly(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "This is not a bucket's name.", "write its name alone.")
    ),
]
KeyArn = Annotated[
    Text,
    AfterValidator(
        _exactly(
            r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+",
            "This is not a KMS key's ARN.",
            "write the key's own ARN: an alias can be pointed elsewhere.",
        )
    ),
]


class GitHub(Model):
    """Jobs of one environment. Its protection rules say which branches may deploy and who approves.

    The subject is equal to the one of GitHub's tokens, which holds the two ids or does not, by the repository's age and
    settings: a role trusts one of the two forms.
    """

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"owner_id": ["repository_id"], "repository_id": ["owner_id"]}}
    )

    repository: Annotated[Repository, Field(description="owner/name.", examples=["myflux/keys"])]
    owner_id: Annotated[
        Whole | None,
        Field(
            ge=1,
            description="The owner's number at GitHub, with repository_id. Needed for a repository that was made, "
            "renamed or transferred since 15 July 2026, or that opted in: its tokens hold both. "
            "`gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints them, in this order.",
            examples=[1234567],
        ),
    ] = None
    repository_id: Annotated[
        Whole | None,
        Field(ge=1, description="The repository's own number at GitHub, with owner_id.", examples=[89012345]),
    ] = None
    environment: Annotated[Place, Field(description="The environment of the deploying jobs.", examples=["prod-eu1"])]

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
            reason = "GitHub's tokens hold both ids or neither, so a role that asks for one of them lets no job in."
            way_out = (
                f"add {missing[0]}: `gh api repos/{self.repository} --jq '.owner.id, .id'` prints both; or delete both."
            )
            refuse(iter([Refusal("one-id", reason, way_out)]))
        return self


class GitLab(Model):
    """Jobs of one branch, which must be protected: GitLab's subject names no environment."""

    project: Annotated[Project, Field(description="group/project.", examples=["myflux/keys"])]
    branch: Annotated[Place, Field(description="The protected branch that deploys.", examples=["main"])]
    host: Annotated[Place, Field(description="Where GitLab is.")] = "gitlab.com"

    @property
    def subject(self) -> str:
        return f"project_path:{self.project}:ref_type:branch:ref:{self.branch}"


class Pipeline(Model):
    """Gives the cell a role that only these jobs become. A person's `up` of the platform makes it."""

    github: Annotated[GitHub | None, Field(description="Either this or gitlab.")] = None
    gitlab: Annotated[GitLab | None, Field(description="Either this or github.")] = None
    deploys: Annotated[
        Literal["tenants", "everything"],
        Field(
            description="tenants: their stacks alone, and a person deploys the platform. everything: the functions' "
            "code too, which reads keys, so whoever approves a run is trusted with them.",
        ),
    ] = "tenants"
    state_bucket: Annotated[
        Bucket, Field(description="The S3 bucket of the stacks' state.", examples=["myflux-state-prod-eu1"])
    ]
    state_key_arn: Annotated[
        KeyArn | None, Field(description="The KMS key of Pulumi's secrets provider, where awskms is used.")
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
            reason = "A cell is deployed by one pipeline, so that each of its jobs can be told by its subject."
            refuse(iter([Refusal("one-pipeline", reason, "write either github or gitlab.")]))
        return self
