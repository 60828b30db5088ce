"""The components' arguments, in types that all of Pulumi's languages have.

Owns the names and which are optional: the same as in the tenant and cell files, as tests check. Leaves out the rules,
which are tenancy's. All values are plain, except a platform's outputs, so that a wrong value is refused before anything
is created. No argument is a key. Pulumi reads the annotations at run time, so they are not strings.
"""

from typing import NotRequired, TypedDict

import pulumi


class OpenAI(TypedDict):
    """The OpenAI organization whose admin key the cell's secret holds."""

    organization_id: str
    """The id in the organization's settings, org-…; not secret."""
    base_url: NotRequired[str]
    """Base URL of OpenAI's API. Default: https://api.openai.com/v1."""


class GitHub(TypedDict):
    """Jobs of one GitHub environment."""

    repository: str
    """owner/name."""
    environment: str
    """The GitHub environment of the jobs that deploy."""


class GitLab(TypedDict):
    """Jobs of one protected branch."""

    project: str
    """group/project."""
    branch: str
    """The protected branch that deploys."""
    host: NotRequired[str]
    """GitLab's host name. Default: gitlab.com."""


class Pipeline(TypedDict):
    """The jobs that may assume the cell's deployer role, which cannot read a key. Set `github` or `gitlab`, not
    both."""

    github: NotRequired[GitHub]
    """A GitHub pipeline."""
    gitlab: NotRequired[GitLab]
    """A GitLab pipeline."""
    deploys: NotRequired[str]
    """`tenants` (default): only tenants' stacks. `everything`: also the functions' code, which reads keys."""
    state_bucket: str
    """The S3 bucket that holds the stacks' state."""
    state_key_arn: NotRequired[str]
    """The KMS key of Pulumi's secrets provider, if it is awskms."""


class Replica(TypedDict):
    """A Region that holds a replica of each tenant's secret."""

    region: str
    """The replicas' AWS Region."""
    kms_key_arn: str
    """The customer managed KMS key in that Region that encrypts the replicas."""


class Cell(TypedDict):
    """An AWS account and Region with one OpenAI organization: the fields of a file in cells/."""

    cell: str
    """The cell's slug: 3 to 20 of a-z, 0-9 and -, starting with a letter."""
    account_id: str
    """The AWS account's id: 12 digits."""
    region: str
    """The AWS Region of the cell's resources."""
    production: bool
    """True: resources that cannot be restored are protected from deletion, and alarmEmails is required."""
    local: NotRequired[bool]
    """True: the emulated cell on this machine."""
    runtime_principals: list[str]
    """ARNs of the IAM users and roles that may assume the runtime role, and so read tenants' keys."""
    deployer_principals: list[str]
    """ARNs of the IAM users and roles that run `pulumi up`. They cannot read a key."""
    alarm_emails: NotRequired[list[str]]
    """E-mail addresses that receive the cell's alarms."""
    recovery_window_days: NotRequired[int]
    """Days that AWS keeps a deleted secret or KMS key, 7 to 30. Default: 30."""
    replicas: NotRequired[list[Replica]]
    """Other Regions that hold a replica of each tenant's secret."""
    log_retention_days: NotRequired[int]
    """Days that the functions' logs are kept. Default: 365."""
    openai: OpenAI
    """The cell's OpenAI organization."""
    pipeline: NotRequired[Pipeline]
    """The CI pipeline that deploys the cell. Default: none."""


class RateLimit(TypedDict):
    """A project's limits for one model."""

    requests_per_minute: int
    """Requests per minute."""
    tokens_per_minute: int
    """Tokens per minute."""


class Budget(TypedDict):
    """What a tenant's project may spend in a calendar month, and who receives alerts."""

    monthly_usd: int
    """US dollars per month, a whole number."""
    hard: NotRequired[bool]
    """True (default): OpenAI blocks the project's calls once the budget is spent."""
    alert_percent: NotRequired[list[int]]
    """Percentages of the budget at which an alert is sent by e-mail, in rising order."""
    emails: NotRequired[list[str]]
    """E-mail addresses that receive the alerts."""


class Rotation(TypedDict):
    """When a key rotates. Set `everyDays` or `everyHours`, not both."""

    every_days: NotRequired[int]
    """Longest time between two rotations, in days."""
    every_hours: NotRequired[int]
    """Hours between two rotations, for less than a day: 4, 6, 8 or 12."""
    overlap_hours: int
    """Hours that the previous key stays valid after a rotation."""


class Consumers(TypedDict):
    """Who uses a key: at least one of them."""

    myflux: NotRequired[bool]
    """True (default): MyFlux reads the key from the secret at run time."""
    cinnox: NotRequired[bool]
    """True: a person pastes each new key into CINNOX's dashboard."""


class PlatformArgs(TypedDict):
    cell: Cell
    """The cell. Pass the same value to its tenants' keys."""


class TenantKeyArgs(TypedDict):
    cell: Cell
    """The cell that serves the tenant: the same value as its platform's."""
    kms_key_arn: pulumi.Input[str]
    """The platform's output of this name."""
    rotation_function_arn: pulumi.Input[str]
    """The platform's output of this name; with it the key is created after the rotation function."""
    provisioner_function: pulumi.Input[str]
    """The platform's output of this name."""
    tenant: str
    """The tenant's slug: 3 to 32 of a-z, 0-9 and -, starting with a letter. Never used again after off-boarding."""
    name: str
    """The tenant's name for people."""
    country: str
    """The tenant's country, ISO 3166-1 alpha-2. OpenAI must offer its API there."""
    source: str
    """`managed`: MyFlux Keys creates the project and every key. `customer`: the customer's own organization and key."""
    organization_id: NotRequired[str]
    """The customer's OpenAI organization, of which they give an admin key. Only with source `customer`."""
    isolation: NotRequired[str]
    """`shared` (default), or `dedicated`: the tenant has its own KMS key and role."""
    models: list[str]
    """The models that the tenant may use; the first is the default."""
    permission: NotRequired[str]
    """`restricted` (default), `all` or `read_only`. Only for minted keys."""
    rate_limits: NotRequired[dict[str, RateLimit]]
    """Limits by model. Only for minted keys."""
    budget: NotRequired[Budget]
    """Default: no limit and no alert. Only for minted keys."""
    rotation: NotRequired[Rotation]
    """Required with source `managed`. With `customer` only if organizationId is set."""
    consumers: NotRequired[Consumers]
    """Who uses the key. Default: only MyFlux."""
    enabled: NotRequired[bool]
    """False: nobody can read the key, from seconds after `up`. Nothing is deleted."""
