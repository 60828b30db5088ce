"""From a stack's name to components: the only translation from the tenant model to component arguments.

Owns which component a stack consists of, with its arguments, and the AWS provider, which refuses other accounts than
the cell's. Leaves out all other resources (components/).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_aws import Provider

import tenancy
from components.iam.copies import Replica
from components.tenant_key import Keyless, Managed, TenantKey, TenantKeyArgs
from myflux_keys import names
from myflux_keys.aws_names import TenantNames
from myflux_keys.cell_functions import ALL_FUNCTIONS, FUNCTIONS
from tenancy import Cell, Tenant, slots
from tenancy.address import AddressError, openai_base_url
from tenancy.declaration import declared
from tenancy.pipeline import AWS_AUDIENCE

if TYPE_CHECKING:
    from components.deployer import DeployerArgs
    from components.platform import PlatformArgs

ROOT = Path(__file__).resolve().parent
ADOPT = "MYFLUX_ADOPT"
"""Environment variable: the ARN of a secret that a tenant's stack imports; `myflux-keys adopt` sets it for one
update."""

PROJECT = "myflux-keys"
"""The Pulumi project of platforms and tenants; that of the bootstrap has another."""

ADMIN_KEY_DAYS = 90
"""Longest time between two rotations of a cell's admin key; OpenAI allows at most a year."""
ADMIN_KEY_OVERLAP_HOURS = 24


class StackError(pulumi.RunError):
    """The stack's name, files or environment are wrong. The message says what to do."""


def deploy(root: Path = ROOT, *, adopt: str | None = None, local_openai_url: str | None = None) -> None:
    """Registers the resources of the current stack, after checking its files.

    Those are the cells' files and its own tenant's: so the time does not depend on the number of tenants, and a mistake
    in another tenant's file does not stop this stack. `myflux-keys validate` checks all files. `root` holds tenants/
    and cells/. `adopt` is the ARN of the secret that a tenant's stack imports in this update. `local_openai_url` is the
    URL of a local cell's OpenAI. Raises StackError.
    """
    stack = pulumi.get_stack()
    try:
        _deploy(stack, tenancy.load(root, only=stack.rpartition(".")[0]), root, adopt, local_openai_url)
    except (tenancy.TenancyError, AddressError) as error:
        # Of a RunError the engine shows the message alone, of others a trace.
        raise StackError(str(error)) from None


def deploy_bootstrap(root: Path = ROOT, issuers: str | None = None) -> None:
    """Registers what a cell needs before its platform. `issuers` is as OWN_ISSUERS has it.

    Raises StackError; for None too, since a guess would delete a provider that others use, or fail to make it.
    """
    slug = pulumi.get_stack()
    try:
        cell = tenancy.load(root, only="").cells.get(slug)
    except tenancy.TenancyError as error:
        raise StackError(str(error)) from None
    if cell is None or issuers is None:
        raise StackError(f"run `myflux-keys bootstrap {slug}`: it checks the account before it starts this program.")
    from components.bootstrap import Bootstrap, BootstrapArgs

    args = BootstrapArgs(
        names=cell.names,
        principals=cell.deployer_principals,
        project=PROJECT,
        replicas=_replicas(cell),
        issuers=issuers.split(),
        audience=AWS_AUDIENCE,
        protect=cell.production,
        tls=not cell.local,
    )
    made = Bootstrap(cell.cell, args, _through_the_cells_account(cell))
    for output in ("bucket", "kms_key_arn", "people_role_arn"):
        pulumi.export(output, getattr(made, output))


def _deploy(stack: str, fleet: tenancy.Fleet, root: Path, adopt: str | None, local_openai_url: str | None) -> None:
    tenant_slug, dot, cell_slug = stack.rpartition(".")
    cell = fleet.cells.get(cell_slug)
    if cell is None:
        raise StackError(
            f"stack {stack}: there is no cell `{cell_slug}`. A stack is named <cell> or <tenant>.<cell>; "
            f"cells/ holds {', '.join(sorted(fleet.cells)) or 'none'}."
        )
    if not dot:
        deploy_platform(cell, local_openai_url)
        return
    tenant = fleet.tenants.get(tenant_slug)
    if tenant is None or tenant.cell != cell_slug:
        raise StackError(
            f"stack {stack}: cell {cell_slug} has no tenant `{tenant_slug}`. Its tenants are "
            f"{', '.join(t.tenant for t in tenancy.load(root).tenants_of(cell_slug)) or 'none'}: "
            f"add tenants/{tenant_slug}.yaml, or choose one of these."
        )
    deploy_tenant(cell, tenant, adopt)


def deploy_platform(cell: Cell, local_openai_url: str | None = None) -> None:
    # Loaded here, as is what its arguments are made of: it takes a third of the time of a tenant's program, which does
    # not need it.
    from components.platform import Platform

    platform = Platform(cell.cell, platform_args(cell, local_openai_url), _through_the_cells_account(cell))
    for output in (*(field.name for field in fields(Shared)), "runtime_role_arn"):
        pulumi.export(output, getattr(platform, output))


def deploy_tenant(cell: Cell, tenant: Tenant, adopt: str | None = None) -> None:
    platform = pulumi.StackReference(f"{pulumi.get_organization()}/{pulumi.get_project()}/{cell.cell}")
    shared = Shared(*(platform.get_output(field.name) for field in fields(Shared)))
    args = replace(tenant_key_args(cell, tenant, shared), adopt=_adopted(cell.names.tenant(tenant.tenant), adopt))
    key = TenantKey(tenant.tenant, args, _through_the_cells_account(cell))
    pulumi.export("secret_arn", key.secret_arn)
    pulumi.export("reader_role_arn", key.role_arn)
    pulumi.export("project_id", key.project_id)


@dataclass
class Shared:
    """The platform's outputs that a tenant's key needs, by their names."""

    kms_key_arn: pulumi.Input[str]
    rotation_function_arn: pulumi.Input[str]
    provisioner_function: pulumi.Input[str]
    health_bucket: pulumi.Input[str]
    federation_issuer: pulumi.Input[str] = ""
    """Only tenants without a key need it: a platform that was deployed before has none."""


def platform_args(cell: Cell, local_openai_url: str | None = None) -> PlatformArgs:
    """Also packs the functions. Raises AddressError for a local cell without `local_openai_url`: it isn't running."""
    from components.admin_rotation import AdminKeyLife
    from components.platform import PlatformArgs
    from functions import packer

    return PlatformArgs(
        names=cell.names,
        archives={
            one.kind: str(packer.build(one.kind, ROOT / ".build" / one.archive))
            for one in (ALL_FUNCTIONS if cell.connect.enabled else FUNCTIONS)
        },
        admin_key_life=AdminKeyLife(
            schedule=slots.cron(names.PLATFORM_TENANT, cell.cell, 24 * ADMIN_KEY_DAYS),
            window=slots.window(24 * ADMIN_KEY_DAYS),
            every_days=ADMIN_KEY_DAYS,
            overlap_hours=ADMIN_KEY_OVERLAP_HOURS,
        ),
        openai_base_url=openai_base_url(cell, local_openai_url),
        organization_id=cell.openai.organization_id,
        runtime_principals=cell.runtime_principals,
        deployer_principals=cell.deployers,
        boundary_arn=cell.names.policy_arn(cell.names.boundary_policy) if cell.bootstrapped else "",
        pipeline=_pipeline(cell),
        catalogue=(ROOT / "functions" / "health" / "catalogue.json").read_text(encoding="utf-8"),
        alarm_emails=cell.alarm_emails,
        language=cell.language,
        health_every_minutes=cell.health.every_minutes,
        log_retention_days=cell.log_retention_days,
        recovery_window_days=cell.recovery_window_days,
        replicas=_replicas(cell),
        protect=cell.production,
        connect=cell.connect.enabled,
        tls=not cell.local,
        handover_principals=cell.handover.principals if cell.handover else (),
        federation=cell.federation.enabled,
        issuer=cell.federation.issuer or "",
    )


def tenant_key_args(cell: Cell, tenant: Tenant, shared: Shared) -> TenantKeyArgs:
    return TenantKeyArgs(
        names=cell.names.tenant(tenant.tenant),
        kms_key_arn=_from_platform(shared, cell, "kms_key_arn"),
        deployer_principals=cell.deployers,
        governor_principals=cell.governors,
        runtime_principals=cell.runtime_principals,
        health_bucket=_from_platform(shared, cell, "health_bucket", expected=cell.names.health_bucket),
        declaration=declared(tenant).to_json(),
        enabled=tenant.enabled,
        dedicated=tenant.isolation == "dedicated",
        connect=cell.connect.enabled,
        consumers=" ".join(one.name for one in tenant.consumers.used),
        handed_over=cell.hands_over(tenant.consumers.used),
        recovery_window_days=cell.recovery_window_days,
        replicas=_replicas(cell),
        managed=_managed(shared, cell, tenant),
        has_key=tenant.has_key,
        keyless=_keyless(cell, tenant),
        restored=tenant.has_identity,
        own_organization=tenant.organization_id is not None,
        protect=cell.production,
    )


def _adopted(tenant: TenantNames, arn: str | None) -> str | None:
    if arn and not fnmatchcase(arn, tenant.secret_arn_pattern):
        raise StackError(f"{ADOPT} is {arn}, which is not the secret of stack {tenant.stack}. Unset {ADOPT}.")
    return arn or None


def _replicas(cell: Cell) -> list[Replica]:
    return [Replica(one.region, one.kms_key_arn) for one in cell.replicas]


def _pipeline(cell: Cell) -> DeployerArgs | None:
    pipeline, kept = cell.pipeline, cell.kept_in
    if pipeline is None:
        return None
    if kept is None:
        raise StackError(
            f"cells/{cell.cell}.yaml has a pipeline and no `state`: its role may use the state's bucket alone. "
            f"`myflux-keys bootstrap {cell.cell}` makes it and prints what to write."
        )
    from components.deployer import DeployerArgs
    from components.iam.deployer_state import State
    from components.iam.deployer_trust import Job

    return DeployerArgs(
        names=cell.names,
        job=Job(pipeline.issuer, AWS_AUDIENCE, pipeline.subject),
        deploys=pipeline.deploys,
        state=State(kept.bucket, kept.kms_key, pulumi.get_project()),
        replicas=_replicas(cell),
        boundary_arn=cell.names.policy_arn(cell.names.people_role) if cell.bootstrapped else None,
    )


def provisioner_specification(
    tenant: Tenant, tenant_names: TenantNames, issuer: pulumi.Input[str] = ""
) -> dict[str, Any]:
    """The provisioner's input: what a reviewer sees in the preview when a tenant's limits change.

    `issuer` is the URL of the AWS account's outbound federation, which a federated tenant needs. A tenant with a key
    has the same input with or without it.
    """
    budget = tenant.budget
    more: dict[str, Any] = {"organization_id": tenant.organization_id} if tenant.organization_id else {}
    if tenant.has_identity and tenant.enabled:
        more["federation"] = {
            "issuer": issuer,
            "audience": tenant_names.cell.identity_audience,
            "subject": tenant_names.cell.runtime_role_arn,
            "permission": tenant.permission,
        }
    if not tenant.has_key:
        more["keys"] = False
    return more | {
        "schema": 1,
        "tenant": tenant.tenant,
        "cell": tenant.cell,
        "project": tenant_names.project,
        "service_account": names.SERVICE_ACCOUNT,
        "models": list(tenant.models),
        "rate_limits": {
            model: limit.model_dump(mode="json", exclude_none=True) for model, limit in tenant.rate_limits.items()
        },
        "budget": budget.model_dump(mode="json") if budget else None,
    }


def _managed(shared: Shared, cell: Cell, tenant: Tenant) -> Managed | None:
    """For a tenant whose keys MyFlux Keys mints; tenancy refuses rotation and permission for a customer's own key."""
    rotation, permission = tenant.rotation, tenant.permission
    if rotation is None or permission is None:
        return None
    tenant_names = cell.names.tenant(tenant.tenant)
    own = {names.TAG_ORGANIZATION_ID: tenant.organization_id} if tenant.organization_id else {}
    federated = tenant.has_identity and tenant.enabled
    issuer = _from_platform(shared, cell, "federation_issuer", cell.federation.issuer) if federated else ""
    return Managed(
        specification=provisioner_specification(tenant, tenant_names, issuer),
        rotation_tags=own
        | {
            names.TAG_PERMISSION: permission,
            names.TAG_MODELS: " ".join(tenant.models),
            names.TAG_EVERY_DAYS: str(rotation.whole_days),
            names.TAG_OVERLAP_HOURS: str(rotation.overlap_hours),
        },
        schedule=slots.cron(tenant.tenant, cell.cell, rotation.interval_hours),
        window=slots.window(rotation.interval_hours),
        rotation_function_arn=_from_platform(
            shared, cell, "rotation_function_arn", expected=cell.names.rotation_function_arn
        ),
        provisioner_function=_from_platform(
            shared, cell, "provisioner_function", expected=cell.names.provisioner_function
        ),
    )


def _keyless(cell: Cell, tenant: Tenant) -> Keyless | None:
    """While a switch back to a key is under way, tokens that are out still work, and no identity asks for more."""
    if tenant.credential != "federated" or not tenant.enabled:
        return None
    return Keyless(cell.openai.organization_id, tenant.models)


def _from_platform(shared: Shared, cell: Cell, output: str, expected: str | None = None) -> pulumi.Output[str]:
    def checked(value: Any) -> str:
        if not value:
            raise StackError(
                f"cell {cell.cell} has no platform yet, or that of an earlier version: its stack exports no {output}. "
                f"Deploy it first: `pulumi up --stack {cell.cell}`."
            )
        if expected is not None and value != expected:
            raise StackError(
                f"the platform of cell {cell.cell} exports {output} = {value}, but its file requires {expected}: "
                "account or Region in the file changed after the platform was deployed. Undo that change."
            )
        return str(value)

    given: pulumi.Input[Any] = getattr(shared, output)
    return pulumi.Output.from_input(given).apply(checked)


def account_guard(name: str, cell: Cell, opts: pulumi.ResourceOptions | None = None) -> Provider:
    """For the cell's account only. It is in the state, so that destroy, which runs no program, refuses others too."""
    return Provider(name, region=cell.region, allowed_account_ids=[cell.account_id], opts=opts)


def _through_the_cells_account(cell: Cell) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(providers=[account_guard(f"{cell.cell}-aws", cell)])
