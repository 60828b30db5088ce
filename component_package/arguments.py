"""The components' arguments, in types that every language of Pulumi has.

Written by `python -m docs.generate` from tenancy's models. Do not edit. Leaves out the rules, which are tenancy's.
Everything is plain, so that a wrong value is refused before anything is made, but what a platform answers. There is no
place for a key. Pulumi reads the annotations while the program runs, so they are no strings.
"""

from typing import NotRequired, TypedDict

import pulumi


class State(TypedDict):
    """The bucket and the KMS key of Pulumi's state. Nobody logs in to a backend: every command finds them here."""

    bucket: str
    """The S3 bucket, in the cell's Region. A pipeline has only the objects of stacks named CELL and TENANT.CELL there."""
    kms_key: str
    """The ARN of the KMS key that encrypts secrets in the state."""


class GitHub(TypedDict):
    """Jobs of one GitHub environment. Its protection rules say which branches may deploy and who approves."""

    repository: str
    """owner/name."""
    owner_id: NotRequired[int]
    """The owner's numeric id at GitHub; set it together with repository_id. Needed if the repository was created, renamed or transferred since 15 July 2026, or opted in: its tokens hold both ids. `gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints them, in this order."""
    repository_id: NotRequired[int]
    """The repository's numeric id at GitHub; set it with owner_id."""
    environment: str
    """The GitHub environment of the jobs that deploy."""


class GitLab(TypedDict):
    """Jobs of one branch, which must be protected, since the subject of GitLab's tokens holds no environment."""

    project: str
    """group/project."""
    branch: str
    """The protected branch that deploys."""
    host: NotRequired[str]
    """GitLab's host name. Left out: gitlab.com."""


class Pipeline(TypedDict):
    """A role that only these jobs become, and that can read no key. Give `github` or `gitlab`, not both."""

    github: NotRequired[GitHub]
    """A GitHub pipeline. Set github or gitlab, not both."""
    gitlab: NotRequired[GitLab]
    """A GitLab pipeline. Set github or gitlab, not both."""
    deploys: NotRequired[str]
    """tenants: the pipeline deploys tenants' stacks only; a person deploys the platform. everything: also the functions' code, which reads keys, so whoever approves a run could read keys. Left out: tenants."""
    state_bucket: NotRequired[str]
    """Replaced by the cell's `state.bucket`."""
    state_key_arn: NotRequired[str]
    """Replaced by the cell's `state.kms_key`."""


class Health(TypedDict):
    """The health function's schedule."""

    every_minutes: NotRequired[int]
    """Minutes between two looks at every tenant: 20 to 240, a multiple of 10. Left out: 60."""


class Connect(TypedDict):
    """The connect page: docs/adr/0041-connect.md."""

    enabled: NotRequired[bool]
    """true: the platform has a public page where customers hand in their own keys, by links that `myflux-keys connect` makes. false closes it."""


class Handover(TypedDict):
    """The hand-over role: docs/adr/0042-handover.md."""

    principals: list[str]
    """ARNs of the IAM users, or of the roles of people, that may assume the hand-over role with a second factor (MFA), and so read the key of one tenant that has such a consumer. No wildcards, no account root. AWS names the person in its records only for a user."""


class Federation(TypedDict):
    """Workload identity federation: docs/adr/0043-no-key-at-all.md."""

    enabled: NotRequired[bool]
    """true: tenants of the cell may have `credential: federated`. The platform enables the AWS account's outbound web identity federation, and the runtime role may ask for tokens of the cell's audience. A pipeline that deploys everything may not enable it: then `issuer` says that it is enabled."""
    issuer: NotRequired[str]
    """The account's issuer URL, where outbound federation is already enabled, for example by another cell of the account. Left out: the platform enables it, and disables it when it is destroyed."""


class Replica(TypedDict):
    """One Region that holds a replica of each tenant's secret, encrypted with a KMS key of that Region."""

    region: str
    """The replica's AWS Region."""
    kms_key_arn: str
    """The customer managed KMS key that encrypts the replicas, in that Region and in the cell's account. An ARN, not an alias. docs/iam.md shows the key policy that it needs."""


class OpenAI(TypedDict):
    """The OpenAI organization whose admin key the cell's secret holds."""

    organization_id: str
    """The id in the organization's settings; not secret."""
    base_url: NotRequired[str]
    """Base URL of OpenAI's API. Default: https://api.openai.com/v1. Must be https, unless on loopback. Not allowed in a local cell, whose address changes with every start."""


class Cell(TypedDict):
    """An AWS account and Region with one OpenAI organization: what a file in cells/ says."""

    cell: str
    """The slug: 3 to 20 of a-z, 0-9 and -, starting with a letter."""
    account_id: str
    """The AWS account: 12 digits."""
    region: str
    """The AWS Region of the cell's resources."""
    production: bool
    """true: resources that cannot be restored are protected from deletion, and alarm_emails is required."""
    local: NotRequired[bool]
    """true: the emulated cell on this machine; needs no AWS account and no network."""
    rehearsal: NotRequired[bool]
    """true: a local cell in production's shape, which `make rehearsal` makes and deletes. Any other cell refuses it."""
    runtime_principals: list[str]
    """ARNs of the IAM users and roles that may assume the runtime role, and so read tenants' keys. No wildcards, no account root."""
    deployer_principals: list[str]
    """ARNs of the IAM users and roles that run `pulumi up`. They may set tags and policies, and cannot read a key."""
    state: NotRequired[State]
    """The bucket and key of the stacks' state. Left out: PULUMI_BACKEND_URL and Pulumi's other variables decide, as in a local cell."""
    bootstrapped: NotRequired[bool]
    """true: `myflux-keys bootstrap` made the permissions boundaries and the role of people who deploy, and the platform's stack uses them. Bootstrap prints this line; do not change it later."""
    pipeline: NotRequired[Pipeline]
    """The CI pipeline that deploys the cell. Optional."""
    alarm_emails: NotRequired[list[str]]
    """E-mail addresses that receive the cell's alarms. Required in production."""
    language: NotRequired[str]
    """The language of the health function's messages: en or es. Left out: en."""
    health: NotRequired[Health]
    """How often the health function looks at the tenants."""
    connect: NotRequired[Connect]
    """The page where customers hand in their own keys. Off unless it says `enabled: true`."""
    handover: NotRequired[Handover]
    """People who paste tenants' keys into a consumer's dashboard, such as CINNOX's. Left out: nobody may, and the cell has no hand-over role."""
    federation: NotRequired[Federation]
    """Tenants without a key. Off unless it says `enabled: true`."""
    recovery_window_days: NotRequired[int]
    """Days that AWS keeps a deleted secret or KMS key, 7 to 30. Left out: 30."""
    replicas: NotRequired[list[Replica]]
    """Other Regions that hold a replica of each tenant's secret. The runtime reads it when the cell's own Region is down."""
    log_retention_days: NotRequired[int]
    """Days that CloudWatch Logs keeps the functions' logs. Left out: 365."""
    openai: OpenAI
    """The cell's OpenAI organization."""


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
    """What the tenant's project may spend in a calendar month, and who receives alerts."""

    monthly_usd: int
    """US dollars per month, a whole number, so that every alert is in whole cents, OpenAI's unit."""
    hard: NotRequired[bool]
    """true: OpenAI blocks the project's calls once the budget is spent. false: alerts only. Left out: true."""
    alert_percent: NotRequired[list[int]]
    """Percentages of the budget at which an alert is sent by e-mail: 1 to 100, in rising order."""
    emails: NotRequired[list[str]]
    """E-mail addresses that receive the alerts."""


class Rotation(TypedDict):
    """When a key changes. Give `everyDays` or `everyHours`, not both."""

    every_days: NotRequired[int]
    """Longest time between two rotations, in days. AWS's schedules cannot count days across months, so the rarest regular pattern within it is used: 7 means once a week, 30 twice a month, 31 once a month, 90 every second month."""
    every_hours: NotRequired[int]
    """Hours between two rotations, for less than a day: 4, 6, 8 or 12."""
    overlap_hours: int
    """Hours that the previous key stays valid after a rotation, at least 1, since readers cache a key for up to an hour. At most the shortest time between two rotations."""


class Consumers(TypedDict):
    """Who uses the key: at least one of them."""

    myflux: NotRequired[bool]
    """true: MyFlux reads the key from the secret at run time. Left out: true."""
    cinnox: NotRequired[bool]
    """true: a person pastes each new key into CINNOX's dashboard; then overlap_hours is at least 24."""


class TenantKeyArgs(TypedDict):
    cell: Cell
    """The cell that serves the tenant, as its platform got it."""
    kms_key_arn: pulumi.Input[str]
    """The platform's output of this name."""
    rotation_function_arn: pulumi.Input[str]
    """The platform's output of this name: the key is created after its rotation function."""
    provisioner_function: pulumi.Input[str]
    """The platform's output of this name."""
    federation_issuer: NotRequired[pulumi.Input[str]]
    """The platform's output of this name. Only for a tenant with `credential: federated`, or on its way."""
    tenant: str
    """The slug: 3 to 32 of a-z, 0-9 and -, starting with a letter. Never reused after off-boarding."""
    name: str
    """The tenant's name for people: `key set`, `offboard` and `credential` show it when they ask, `check` in its report, and health's messages, `status`, `verify`, `handover` and the connect page name it. It is in AWS, in the declaration and in links; OpenAI does not get it."""
    country: str
    """The tenant's country, ISO 3166-1 alpha-2. OpenAI must offer its API there."""
    source: str
    """managed: MyFlux Keys creates the OpenAI project and every key. customer: the customer has their own OpenAI organization and key; then permission, rate_limits, budget and rotation are not allowed, unless organization_id is set and they give an admin key of that organization."""
    organization_id: NotRequired[str]
    """Only with source: customer. The customer's OpenAI organization, of which they give an admin key. `up` creates the secret for it, and `myflux-keys admin-key set --tenant` stores it. Then add rotation, and keys are minted in their organization."""
    isolation: NotRequired[str]
    """shared: the cell's KMS key and runtime role, told apart by session tag. dedicated: a KMS key ($1 a month) and a role of the tenant's own, for either source, since both concern the secret. Left out: shared."""
    credential: NotRequired[str]
    """With what the runtime calls OpenAI. key: a key in a secret, rotated. federated: no key; the runtime's AWS session is exchanged for a token of minutes (docs/credentials.md). Only with source: managed, and in a cell with federation. `myflux-keys credential` switches without a failed call. Left out: key."""
    switching_from: NotRequired[str]
    """While a switch is under way: what the tenant had before, which still works. `myflux-keys credential` writes and removes it."""
    models: list[str]
    """The models that the tenant may use; the first is the default."""
    permission: NotRequired[str]
    """What a minted key, or a federated tenant's token, may do. restricted (the default): only what model calls need. all, read_only: OpenAI's own permissions. Only for minted keys."""
    rate_limits: NotRequired[dict[str, RateLimit]]
    """Limits by model, for some or all of `models`; other models keep the organization's limits. Only for minted keys."""
    budget: NotRequired[Budget]
    """Default: no limit and no alert. Only for minted keys."""
    rotation: NotRequired[Rotation]
    """Required with source: managed. With source: customer only if organization_id is set."""
    consumers: NotRequired[Consumers]
    """Who uses the key. Default: only myflux."""
    enabled: NotRequired[bool]
    """false: nobody can read the key, from seconds after `up`. Nothing is deleted. Left out: true."""
