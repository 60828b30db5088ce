"""The components' arguments, in types that all of Pulumi's languages have.

Written by `python -m docs.generate` from tenancy's models. Do not edit. Leaves out the rules, which are tenancy's.
Everything is plain, so that a wrong value is refused before anything is made, but what a platform answers. There is no
place for a key. Pulumi reads the annotations while the program runs, so they are no strings.
"""

from typing import NotRequired, TypedDict

import pulumi


class GitHub(TypedDict):
    """Jobs of one environment. Its protection rules say which branches may deploy and who approves."""

    repository: str
    """owner/name."""
    owner_id: NotRequired[int]
    """The owner's number at GitHub, with `repository_id`: for a repository whose tokens hold both."""
    repository_id: NotRequired[int]
    """The repository's number at GitHub, with `owner_id`."""
    environment: str
    """The GitHub environment of the jobs that deploy."""


class GitLab(TypedDict):
    """Jobs of one branch, which must be protected: GitLab's subject names no environment."""

    project: str
    """group/project."""
    branch: str
    """The protected branch that deploys."""
    host: NotRequired[str]
    """Where GitLab is. Left out: gitlab.com."""


class Pipeline(TypedDict):
    """The jobs that may assume the cell's deployer role, which cannot read a key. Set `github` or `gitlab`, not
    both."""

    github: NotRequired[GitHub]
    """Either this or gitlab."""
    gitlab: NotRequired[GitLab]
    """Either this or github."""
    deploys: NotRequired[str]
    """tenants: their stacks alone, and a person deploys the platform. everything: the functions' code too, which reads keys, so whoever approves a run is trusted with them. Left out: tenants."""
    state_bucket: str
    """The S3 bucket that holds the stacks' state."""
    state_key_arn: NotRequired[str]
    """The KMS key of Pulumi's secrets provider, if it is awskms."""


class Replica(TypedDict):
    """One Region that holds a copy of each tenant's secret, under a key of its own."""

    region: str
    """The copy's AWS Region."""
    kms_key_arn: str
    """The customer managed KMS key in that Region, of the cell's account, that encrypts the copies. An ARN, never an alias. docs/iam.md has the policy that it needs."""


class OpenAI(TypedDict):
    """The organization whose admin key the cell holds."""

    organization_id: str
    """From the organization's settings; not secret."""
    base_url: NotRequired[str]
    """Where OpenAI's API is; https://api.openai.com/v1 if left out. https, unless on loopback. Refused for a local cell, whose address changes with every start."""


class Cell(TypedDict):
    """An AWS account and Region with one OpenAI organization: the fields of a file in cells/."""

    cell: str
    """The cell's slug: 3 to 20 of a-z, 0-9 and -, starting with a letter."""
    account_id: str
    """The AWS account's id: 12 digits."""
    region: str
    """The AWS Region of the cell's resources."""
    production: bool
    """true: what cannot be undone is protected, and somebody must get the alarms."""
    local: NotRequired[bool]
    """true: the embedded cell on loopback; no account, no network."""
    runtime_principals: list[str]
    """IAM users and roles that may assume the runtime role, and so read tenants' keys. ARNs, no wildcard, never root."""
    deployer_principals: list[str]
    """IAM users and roles that run `pulumi up`. They may tag and set policies, and can read no key."""
    pipeline: NotRequired[Pipeline]
    """CI that deploys, where there is one."""
    alarm_emails: NotRequired[list[str]]
    """E-mail addresses that receive the cell's alarms."""
    recovery_window_days: NotRequired[int]
    """How long AWS keeps a deleted secret or KMS key, 7 to 30 days. Left out: 30."""
    replicas: NotRequired[list[Replica]]
    """Further Regions that hold a copy of each tenant's secret, for the runtime to read when the cell's own Region is down."""
    log_retention_days: NotRequired[int]
    """How long the functions' logs are kept. Left out: 365."""
    openai: OpenAI
    """The OpenAI organization."""


class PlatformArgs(TypedDict):
    cell: Cell
    """The cell. Give the same to its tenants' keys."""


class RateLimit(TypedDict):
    """The project's limits for one model. OpenAI answers 429 above them."""

    requests_per_minute: int
    """Requests per minute."""
    tokens_per_minute: int
    """Tokens per minute."""


class Budget(TypedDict):
    """What the tenant's project may spend in a calendar month, and who hears of it."""

    monthly_usd: int
    """Whole US dollars a month, so that every alert is in whole cents, OpenAI's unit."""
    hard: NotRequired[bool]
    """true: OpenAI blocks the project's calls once the budget is spent. false: alerts only. Left out: true."""
    alert_percent: NotRequired[list[int]]
    """Shares of the budget, in percent from 1 to 100 and rising, at which an e-mail goes out."""
    emails: NotRequired[list[str]]
    """E-mail addresses that receive the alerts."""


class Rotation(TypedDict):
    """When a key rotates. Set `everyDays` or `everyHours`, not both."""

    every_days: NotRequired[int]
    """Longest time between two rotations, in days. AWS's calendar cannot count days across months, so the rarest regular pattern within it is used: 7 is once a week, 30 twice a month, 31 once a month, 90 every second month."""
    every_hours: NotRequired[int]
    """For a tenant that needs less than a day: 4, 6, 8 or 12 hours between rotations."""
    overlap_hours: int
    """How long the previous key stays valid after a new one is live, in whole hours, at least 1: readers may hold a key for up to an hour. Never longer than the shortest time between two rotations."""


class Consumers(TypedDict):
    """Who uses the key. At least one."""

    myflux: NotRequired[bool]
    """MyFlux reads the key from the secret at run time. Left out: true."""
    cinnox: NotRequired[bool]
    """A person pastes each new key into CINNOX's dashboard, so the overlap is at least 24 hours."""


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
    """managed: MyFlux Keys makes the project and every key. customer: the customer's own OpenAI account and key; then permission, rate_limits, budget and rotation are refused: they are set in an account that is not ours, unless organization_id says that they gave an admin key of it."""
    organization_id: NotRequired[str]
    """source: customer only. The customer's OpenAI organization, of which they give an admin key: `up` makes its place, `myflux-keys admin-key set --tenant` stores it; then rotation is added, and keys are minted in their organization as a managed tenant's are in ours."""
    isolation: NotRequired[str]
    """shared: the cell's KMS key and runtime role, told apart by session tag. dedicated: a KMS key ($1 a month) and a role of the tenant's own, for either source, since both concern the secret. Left out: shared."""
    models: list[str]
    """The models that the tenant may use; the first is the default."""
    permission: NotRequired[str]
    """What a minted key may do: restricted (the default) is what calling models takes; all and read_only are OpenAI's own. Managed tenants only."""
    rate_limits: NotRequired[dict[str, RateLimit]]
    """By model, for some or all of `models`; the rest keep the organization's limits. Managed tenants only."""
    budget: NotRequired[Budget]
    """Default: no limit and no alert. Only for minted keys."""
    rotation: NotRequired[Rotation]
    """Needed for managed tenants; for customers only with an organization_id."""
    consumers: NotRequired[Consumers]
    """Left out: myflux alone."""
    enabled: NotRequired[bool]
    """false: nobody can read the key, within seconds of `up`. Nothing is deleted. Left out: true."""
