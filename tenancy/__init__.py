"""`tenants/*.yaml` and `cells/*.yaml` to validated, immutable models.

Start at `load`; every refusal of every file comes at once, in one `TenancyError`. Nothing here knows Pulumi.

Files to models
    loading       loads all files, or those that one stack needs, into a `Fleet`
    from_program  the same models from a Pulumi program's values
    source        reads a file's text; size, encoding, invisible characters, keys
    document      parses YAML and keeps line numbers
    explain       pydantic's errors as problems
    problems      `Problem`, `Refusal`, `TenancyError`, and which values may be shown
    schema        docs/schema/*.json for editors

A tenant's file
    tenant        its fields and rules
    spending      rate limits and budget
    rotation      interval and overlap
    credential    a key, or none
    declaration   what scheduled functions get to know of it
    slots         the schedule, spread over the cell by a hash
    catalogue     countries and models that OpenAI offers

A cell's file
    cell          its fields and rules
    principals    IAM principals and Regions
    replicas      copies of secrets in other Regions
    openai        the OpenAI organization
    health        how often the health function looks
    connect       whether customers hand in keys at a page
    federation    tenants without a key
    handover      who pastes keys into a consumer's dashboard
    pipeline      the CI pipeline that deploys
    state         bucket and key of the stacks' state
    address       the base URL of the cell's OpenAI

Both
    fields        the base model and field types
    aws_limits    the length of derived names
    policy_sizes  the length of policies
    aws_prices    what a tenant costs at AWS

Several files
    fleet         all tenants and cells, by slug
    clashes       names that clash and limits that several files share
    archive       slugs of off-boarded tenants, never used again
    slot_load     rotations in one hour, against OpenAI's rate limit
"""

from tenancy.cell import Cell
from tenancy.fleet import Fleet
from tenancy.loading import load
from tenancy.problems import Problem, TenancyError
from tenancy.tenant import Tenant

__all__ = ["Cell", "Fleet", "Problem", "TenancyError", "Tenant", "load"]
