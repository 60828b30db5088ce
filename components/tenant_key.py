"""One tenant's key: all its resources, without the key's value.

Owns which parts a tenant consists of, and their order. Leaves out the parts, which are components of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws.s3 import BucketObjectv2
from pulumi_aws.secretsmanager import SecretRotation

from components.dedicated_access import DedicatedAccess, DedicatedAccessArgs
from components.empty_secret import EmptySecret, EmptySecretArgs
from components.health_store import JSON
from components.iam import resource
from components.iam.copies import Replica
from components.openai_project import OpenAIProject, OpenAIProjectArgs
from myflux_keys.aws_names import TenantNames
from myflux_keys.cell_functions import PROMOTER, ROTATION
from myflux_keys.identity import TenantIdentity
from myflux_keys.names import TAG_CONSUMERS, TAG_PROJECT_ID, TAG_SERVICE_ACCOUNT_ID, store_admin_key


@dataclass
class Managed:
    """For a tenant whose keys MyFlux Keys mints. Left out for a customer's own key."""

    specification: dict[str, Any]
    """The provisioner's input."""
    rotation_tags: Mapping[str, str]
    """The tags of the secret from which the rotation function reads its settings."""
    schedule: str
    """A Secrets Manager cron expression, the tenant's own."""
    window: str
    """How long after the scheduled time AWS may still start, e.g. ``4h``."""
    rotation_function_arn: pulumi.Input[str]
    provisioner_function: pulumi.Input[str]


@dataclass
class Keyless:
    """For a tenant whose runtime gets tokens in place of a key: what its identity says besides OpenAI's ids."""

    organization_id: str
    models: tuple[str, ...]
    """The default first."""


@dataclass
class TenantKeyArgs:
    """Principals are ARNs; `recovery_window_days` is 7 to 30 days."""

    names: TenantNames
    kms_key_arn: pulumi.Input[str]
    """The cell's KMS key. Not used for a dedicated tenant."""
    deployer_principals: Sequence[str]
    """ARNs that may store a customer's own key."""
    runtime_principals: Sequence[str]
    health_bucket: pulumi.Input[str]
    """The platform's bucket for declarations."""
    declaration: str
    """The text of the tenant's declaration (`myflux_keys/declaration.py`)."""
    enabled: bool
    dedicated: bool
    recovery_window_days: int
    replicas: Sequence[Replica] = ()
    managed: Managed | None = None
    connect: bool = False
    """Customers of the cell hand in their keys at its page: the promoter writes this secret too, unless keys are
    minted."""
    consumers: str = ""
    """The tag `myflux:consumers`: who uses the key. Empty: no tag."""
    handed_over: bool = False
    """The cell has a hand-over role, and one of the consumers needs a person to paste the key."""
    own_organization: bool = False
    """Create a secret for the admin key of the customer's own organization; with `managed`, keys are minted there."""
    governor_principals: Sequence[str] | None = None
    """ARNs that may set the secret's policy, tags and rotation. Default: the deployers."""
    protect: bool = False
    has_key: bool = True
    """False: no secret and no rotation. Only with `keyless`, or while such a tenant is disabled."""
    keyless: Keyless | None = None
    """The runtime gets tokens: it reads the tenant's identity, and no key, even while there still is one."""
    adopt: str | None = None
    """The ARN of the tenant's existing secret, whose rotation already has the tenant's schedule: secret and rotation
    are imported, so that no key is minted before the scheduled time. For one update; the next one sets the rest."""
    restored: bool = False
    """`adopt` was restored from deletion, and so has no rotation: a new one mints a key at once."""


class TenantKey(pulumi.ComponentResource):
    """A tenant's secret with its policy and, if MyFlux Keys mints the keys, its OpenAI project and rotation. For a
    tenant without a key: the project, and the identity with which its runtime gets tokens.

    Guarantees: no key is an input or an output; the policy is attached before the first rotation can start; rotation
    starts at once and then follows the tenant's schedule. Deletion first cancels the rotation, then schedules the
    secret's deletion with its policy still attached, then revokes every key and archives the project. On the way to no
    key the runtime is denied the secret once the identity is there, and on the way back the identity goes once it may
    read the secret again: at any moment it has one of the two.
    """

    secret_arn: pulumi.Output[str] | None
    role_arn: pulumi.Output[str]
    project_id: pulumi.Output[str] | None

    def __init__(self, name: str, args: TenantKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:TenantKey", name, None, opts)
        names = args.names
        child = pulumi.ResourceOptions(parent=self)
        tags: dict[str, pulumi.Input[str]] = {**names.tags}
        if args.consumers:
            tags[TAG_CONSUMERS] = args.consumers

        admin_secret = self._admin_secret(name, args) if args.own_organization else None
        self.project_id = None
        project: OpenAIProject | None = None
        promoters = [names.cell.function_role_arn(PROMOTER)] if args.connect and not args.managed else []
        writers = [*args.deployer_principals, *promoters]
        governors = args.deployer_principals if args.governor_principals is None else args.governor_principals
        if args.managed:
            provisioner = args.managed.provisioner_function
            if admin_secret:
                # Created after the admin secret, so that it is archived while that secret still holds the key.
                provisioner = pulumi.Output.all(provisioner, admin_secret.arn).apply(lambda both: both[0])
            project = OpenAIProject(
                f"{name}-openai",
                OpenAIProjectArgs(
                    provisioner_function=provisioner,
                    specification=args.managed.specification,
                    protect=args.protect,
                ),
                child,
            )
            self.project_id = project.project_id
            tags |= args.managed.rotation_tags
            tags[TAG_PROJECT_ID] = project.project_id
            tags[TAG_SERVICE_ACCOUNT_ID] = project.service_account_id
            writers = [names.cell.function_role_arn(ROTATION)]

        kms_key_arn = args.kms_key_arn
        reader_role = names.cell.runtime_role_arn
        self.role_arn = pulumi.Output.from_input(reader_role)
        if args.dedicated:
            dedicated = DedicatedAccess(
                f"{name}-dedicated",
                DedicatedAccessArgs(
                    names=names,
                    runtime_principals=args.runtime_principals,
                    deployer_principals=args.deployer_principals,
                    governor_principals=governors,
                    protect=args.protect,
                    customer=args.managed is None,
                    promoters=promoters,
                    handed_over=args.handed_over,
                ),
                child,
            )
            kms_key_arn = dedicated.kms_key_arn
            reader_role = names.dedicated_role_arn
            self.role_arn = dedicated.role_arn

        identity: list[pulumi.Resource] = []
        if args.keyless and project:
            identity.append(
                self._object(f"{name}-identity", args, names.identity, _identity(names, args.keyless, project.answer))
            )
        self.secret_arn = None
        if args.has_key:
            secret = EmptySecret(
                f"{name}-key",
                EmptySecretArgs(
                    name=names.secret,
                    description=f"OpenAI key of tenant {names.tenant}. Pulumi never writes its value.",
                    kms_key_arn=kms_key_arn,
                    policy=resource.tenant_secret(
                        names,
                        reader_role=reader_role,
                        writers=writers,
                        deployers=governors,
                        enabled=args.enabled and args.keyless is None,
                        handed_over=args.handed_over,
                    ),
                    tags=tags,
                    recovery_window_days=args.recovery_window_days,
                    replicas=args.replicas,
                    after=identity,
                    protect=args.protect,
                    adopt=args.adopt,
                ),
                child,
            )
            self.secret_arn = secret.arn
            if args.managed:
                self._rotation(name, args, args.managed, secret.arn)
        self._object(f"{name}-declaration", args, names.declaration, args.declaration)
        self.register_outputs({"secret_arn": self.secret_arn, "role_arn": self.role_arn, "project_id": self.project_id})

    def _rotation(self, name: str, args: TenantKeyArgs, managed: Managed, secret_arn: pulumi.Output[str]) -> None:
        imported = None if args.restored else args.adopt
        SecretRotation(
            f"{name}-rotation",
            secret_id=secret_arn,
            rotation_lambda_arn=managed.rotation_function_arn,
            rotation_rules={"schedule_expression": managed.schedule, "duration": managed.window},
            rotate_immediately=True,
            opts=pulumi.ResourceOptions(
                parent=self,
                import_=imported,
                # AWS does not store rotateImmediately; set now, it would mint a key.
                ignore_changes=["rotateImmediately"] if imported else None,
            ),
        )

    def _object(self, name: str, args: TenantKeyArgs, key: str, content: pulumi.Input[str]) -> BucketObjectv2:
        return BucketObjectv2(
            name,
            bucket=args.health_bucket,
            key=key,
            content=content,
            content_type=JSON,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _admin_secret(self, name: str, args: TenantKeyArgs) -> EmptySecret:
        names = args.names
        return EmptySecret(
            f"{name}-admin-key",
            EmptySecretArgs(
                name=names.admin_secret,
                description=f"OpenAI admin key of tenant {names.tenant}: `{store_admin_key(names.admin_secret)}`.",
                kms_key_arn=args.kms_key_arn,
                policy=resource.customer_admin_secret(
                    names.cell, deployers=args.deployer_principals, governors=args.governor_principals
                ),
                tags=names.tags,
                recovery_window_days=args.recovery_window_days,
                protect=args.protect,
            ),
            pulumi.ResourceOptions(parent=self),
        )


def _identity(names: TenantNames, keyless: Keyless, answer: pulumi.Output[dict[str, Any]]) -> pulumi.Output[str]:
    """The text of the tenant's identity, of what the provisioner answered."""

    def text(answered: dict[str, Any]) -> str:
        if "federation" not in answered:
            raise pulumi.RunError(
                f"the provisioner of cell {names.cell.cell} made no federation rule for {names.tenant}: it is of an "
                f"earlier version. Deploy the platform first: `pulumi up --stack {names.cell.cell}`."
            )
        return TenantIdentity(
            tenant=names.tenant,
            cell=names.cell.cell,
            provider_id=answered["federation"]["provider_id"],
            service_account_id=answered["service_account_id"],
            project_id=answered["project_id"],
            organization_id=keyless.organization_id,
            base_url=answered["base_url"],
            models=keyless.models,
        ).to_json()

    return answer.apply(text)
