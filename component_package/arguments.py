"""What the components may be told, in types that every language of Pulumi's has.

Owns the names, and which may be left out: those of the tenant and cell files, as tests hold it. Leaves out the rules,
which are tenancy's. Everything is plain, so that a wrong value is refused before anything is made, but what a platform
answers. There is no place for a key. Pulumi reads the annotations while the program runs, so they are no strings.
"""

from typing import NotRequired, TypedDict

import pulumi


class OpenAI(TypedDict):
    """The OpenAI organization whose admin key a cell holds."""

    organization_id: str
    """From the organization's settings, org-…; not secret."""
    base_url: NotRequired[str]
    """Where OpenAI's API is; https://api.openai.com/v1 if left out."""


class GitHub(TypedDict):
    """Jobs of one environment."""

    repository: str
    """owner/name."""
    owner_id: NotRequired[int]
    """The owner's number at GitHub, with `repository_id`: for a repository whose tokens hold both."""
    repository_id: NotRequired[int]
    """The repository's number at GitHub, with `owner_id`."""
    environment: str
    """The environment of the deploying jobs."""


class GitLab(TypedDict):
    """Jobs of one protected branch."""

    project: str
    """group/project."""
    branch: str
    """The protected branch that deploys."""
    host: NotRequired[str]
    """Where GitLab is; gitlab.com if left out."""


class Pipeline(TypedDict):
    """A role that only these jobs become, and that can read no key. Give `github` or `gitlab`, not both."""

    github: NotRequired[GitHub]
    """Jobs of GitHub's."""
    gitlab: NotRequired[GitLab]
    """Jobs of GitLab's."""
    deploys: NotRequired[str]
    """`tenants` (the default), or `everything`: the functions' code too, which reads keys."""
    state_bucket: str
    """The S3 bucket of the stacks' state."""
    state_key_arn: NotRequired[str]
    """The KMS key of Pulumi's secrets provider, where awskms is used."""


class Replica(TypedDict):
    """A Region that holds copies, and their key."""

    region: str
    """The AWS Region of the copies."""
    kms_key_arn: str
    """The customer managed KMS key in that Region that encrypts the copies."""


class Cell(TypedDict):
    """An AWS account and Region with one OpenAI organization: what a file in cells/ says."""

    cell: str
    """The slug: 3 to 20 of a-z, 0-9 and -, starting with a letter."""
    account_id: str
    """The AWS account: 12 digits."""
    region: str
    """The AWS Region of everything."""
    production: bool
    """True: what cannot be undone is protected, and somebody must get the alarms."""
    local: NotRequired[bool]
    """True: the embedded cell on loopback."""
    runtime_principals: list[str]
    """ARNs of the IAM users and roles that may assume the runtime role, and so read tenants' keys."""
    deployer_principals: list[str]
    """ARNs of the IAM users and roles that run `pulumi up`. They can read no key."""
    alarm_emails: NotRequired[list[str]]
    """Who gets the alarms."""
    recovery_window_days: NotRequired[int]
    """How long AWS keeps a deleted secret or KMS key, 7 to 30 days; 30 if left out."""
    replicas: NotRequired[list[Replica]]
    """Further Regions that hold a copy of each tenant's secret."""
    log_retention_days: NotRequired[int]
    """How long the functions' logs are kept; 365 if left out."""
    openai: OpenAI
    """The OpenAI organization."""
    pipeline: NotRequired[Pipeline]
    """The CI jobs that deploy the cell. Left out: people do."""


class RateLimit(TypedDict):
    """A project's limits for one model."""

    requests_per_minute: int
    """Requests a minute."""
    tokens_per_minute: int
    """Tokens a minute."""


class Budget(TypedDict):
    """What a tenant's project may spend in a calendar month, and who hears of it."""

    monthly_usd: int
    """Whole US dollars a month."""
    hard: NotRequired[bool]
    """True (the default): OpenAI blocks the project's calls once the budget is spent."""
    alert_percent: NotRequired[list[int]]
    """Shares of the budget, in percent and rising, at which an e-mail goes out."""
    emails: NotRequired[list[str]]
    """Who receives the alerts."""


class Rotation(TypedDict):
    """When a key changes. Give `everyDays` or `everyHours`, not both."""

    every_days: NotRequired[int]
    """Longest time between two rotations, in days."""
    every_hours: NotRequired[int]
    """4, 6, 8 or 12, for less than a day."""
    overlap_hours: int
    """How long the previous key stays valid after a new one is live."""


class Consumers(TypedDict):
    """Who uses a key. At least one."""

    myflux: NotRequired[bool]
    """MyFlux reads it from the secret at run time; true if left out."""
    cinnox: NotRequired[bool]
    """A person pastes each new key into CINNOX's dashboard."""


class PlatformArgs(TypedDict):
    cell: Cell
    """The cell. Give the same to its tenants' keys."""


class TenantKeyArgs(TypedDict):
    cell: Cell
    """The cell that serves the tenant: what its platform was given."""
    kms_key_arn: pulumi.Input[str]
    """The platform's output of this name."""
    rotation_function_arn: pulumi.Input[str]
    """The platform's output of this name: with it the key waits for what rotates it."""
    provisioner_function: pulumi.Input[str]
    """The platform's output of this name."""
    tenant: str
    """The slug: 3 to 32 of a-z, 0-9 and -, starting with a letter. Never reused after off-boarding."""
    name: str
    """The name that people read."""
    country: str
    """ISO 3166-1 alpha-2. Refused where OpenAI does not offer its API."""
    source: str
    """`managed`: MyFlux Keys makes the project and every key. `customer`: the customer's own account and key."""
    organization_id: NotRequired[str]
    """The customer's OpenAI organization, of which they give an admin key. Customers only."""
    isolation: NotRequired[str]
    """`shared` (the default), or `dedicated`: a KMS key and a role of the tenant's own."""
    models: list[str]
    """The models that the tenant may use; the first is the default."""
    permission: NotRequired[str]
    """`restricted` (the default), `all` or `read_only`. Managed tenants only."""
    rate_limits: NotRequired[dict[str, RateLimit]]
    """By model. Managed tenants only."""
    budget: NotRequired[Budget]
    """Left out: no limit and no alert. Managed tenants only."""
    rotation: NotRequired[Rotation]
    """Needed for managed tenants; for customers only with an organization."""
    consumers: NotRequired[Consumers]
    """Left out: MyFlux alone."""
    enabled: NotRequired[bool]
    """False: nobody can read the key, within seconds. Nothing is deleted."""
