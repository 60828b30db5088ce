"""What a cell's tenants share.

Owns which parts a platform consists of, and their order. Leaves out the parts, which are components of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws.lambda_ import Permission

from components.admin_rotation import AdminKeyLife, AdminRotation, AdminRotationArgs
from components.alarms import Alarms, AlarmsArgs
from components.cell_boundary import cell_boundary
from components.connect import Connect, ConnectArgs, Intake, IntakeArgs
from components.deployer import Deployer, DeployerArgs
from components.empty_secret import EmptySecret, EmptySecretArgs
from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.handover import HandoverAccess, HandoverAccessArgs
from components.health import Health, HealthArgs
from components.health_store import HealthStore, HealthStoreArgs
from components.iam import identity, resource
from components.iam.copies import Replica
from components.iam.federation import runtime_callers
from components.key_function import KeyFunction, KeyFunctionArgs
from components.outbound_federation import federation_issuer
from components.runtime_access import RuntimeAccess, RuntimeAccessArgs
from components.sweep import Sweep, SweepArgs
from functions.health.settings import LANGUAGE, TOPIC
from functions.promoter.settings import BUCKET as INTAKE_BUCKET
from functions.promoter.settings import INTAKE_KEY, LINK_KEY
from functions.shared.environment import ADMIN_SECRET, BASE_URL, CELL, HEALTH_BUCKET, ORGANIZATION
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import (
    ADMIN_ROTATION,
    ALL_FUNCTIONS,
    CONNECT,
    CONNECT_FUNCTIONS,
    FUNCTIONS,
    HEALTH,
    PROMOTER,
    PROVISIONER,
    ROTATION,
    SWEEP,
    CellFunction,
)
from myflux_keys.names import store_admin_key


@dataclass
class PlatformArgs:
    """Archives are paths of the functions' zips, principals ARNs; days where a field says days."""

    names: CellNames
    archives: Mapping[str, str]
    """The path of each function's deterministic zip, by its kind."""
    admin_key_life: AdminKeyLife
    openai_base_url: str
    organization_id: str
    runtime_principals: Sequence[str]
    deployer_principals: Sequence[str]
    catalogue: str
    """The text of the object from which the health function knows what OpenAI offers."""
    alarm_emails: Sequence[str] = ()
    language: str = "en"
    health_every_minutes: int = 60
    log_retention_days: int = 90
    recovery_window_days: int = 30
    replicas: Sequence[Replica] = ()
    """Other Regions that hold replicas of tenants' secrets. Admin secrets have no replicas."""
    boundary_arn: str = ""
    """The permissions boundary of the cell's roles, where the bootstrap made it; else the platform makes it."""
    pipeline: DeployerArgs | None = None
    """The CI pipeline that deploys this cell, if there is one."""
    protect: bool = False
    """Protect resources that cannot be restored from deletion: for production."""
    connect: bool = False
    """Customers hand in their keys at a public page."""
    tls: bool = True
    """False for a local cell, whose addresses have no certificate."""
    handover_principals: Sequence[str] = ()
    """People who paste keys into consumers' dashboards. Empty: there is no hand-over role."""
    federation: bool = False
    """Tenants may do without a key."""
    issuer: str = ""
    """The account's issuer URL, where outbound federation is enabled already. Empty: the platform enables it."""


class Platform(pulumi.ComponentResource):
    """All resources of a cell that belong to no tenant.

    Guarantees: the admin secret has its policy before it can hold a key; every role has the permissions boundary;
    Secrets Manager's permission to call the rotation function exists before this component's outputs are known, so no
    tenant can request a rotation too early.
    """

    kms_key_arn: pulumi.Output[str]
    rotation_function_arn: pulumi.Output[str]
    provisioner_function: pulumi.Output[str]
    runtime_role_arn: pulumi.Output[str]
    admin_secret_arn: pulumi.Output[str]
    health_bucket: pulumi.Output[str]
    federation_issuer: pulumi.Output[str]
    """Empty where the cell has no federation."""

    def __init__(self, name: str, args: PlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:Platform", name, None, opts)
        names = args.names
        child = pulumi.ResourceOptions(parent=self)

        governors = list(args.deployer_principals)
        if args.pipeline:
            Deployer(f"{name}-deployer", args.pipeline, child)
            governors.append(names.role_arn(names.deployer_role))
        key = EncryptionKey(
            f"{name}-key",
            EncryptionKeyArgs(
                alias=names.kms_alias,
                description=f"Secrets of MyFlux Keys' cell {names.cell}",
                policy=resource.cell_key(
                    names,
                    deployers=args.deployer_principals,
                    governors=governors,
                    connect=args.connect,
                    handover=bool(args.handover_principals),
                ),
                tags=names.tags,
                protect=args.protect,
            ),
            child,
        )
        admin_secret = EmptySecret(
            f"{name}-admin-key",
            EmptySecretArgs(
                name=names.admin_secret,
                description=f"OpenAI admin key of cell {names.cell}: `{store_admin_key(names.admin_secret)}`.",
                kms_key_arn=key.arn,
                policy=resource.admin_secret(names, deployers=args.deployer_principals, governors=governors),
                tags=names.tags | args.admin_key_life.tags,
                recovery_window_days=args.recovery_window_days,
                protect=args.protect,
            ),
            child,
        )
        alarms = Alarms(f"{name}-alarms", AlarmsArgs(names=names, emails=args.alarm_emails), child)
        boundary_arn = args.boundary_arn or cell_boundary(name, names, args.replicas, child).arn
        store = HealthStore(
            f"{name}-health-store",
            HealthStoreArgs(
                names=names,
                deployers=governors,
                catalogue=args.catalogue,
                tls=args.tls,
                federation=args.federation,
            ),
            child,
        )
        environment = {
            CELL: names.cell,
            ADMIN_SECRET: names.admin_secret,
            ORGANIZATION: args.organization_id,
            BASE_URL: args.openai_base_url,
        }
        intake = self._intake(name, args) if args.connect else None
        taking_in = {
            INTAKE_BUCKET: names.connect_bucket,
            INTAKE_KEY: names.intake_kms_alias,
            LINK_KEY: names.link_kms_alias,
        }
        watching = {TOPIC: names.alarm_topic_arn, LANGUAGE: args.language}

        def _environment(one: CellFunction) -> dict[str, str]:
            if one.takes_in:
                return {CELL: names.cell, BASE_URL: args.openai_base_url} | taking_in
            bucket = {HEALTH_BUCKET: names.health_bucket} if one.watches or one.reads_handovers else {}
            return environment | bucket | (watching if one.watches else taking_in if one.promotes else {})

        def function(one: CellFunction) -> KeyFunction:
            function_name = names.function(one)
            return KeyFunction(
                f"{name}-{one.kind}",
                KeyFunctionArgs(
                    name=function_name,
                    description=f"MyFlux Keys {one.kind} of cell {names.cell}",
                    archive=args.archives[one.kind],
                    handler=one.handler,
                    permissions=identity.function_permissions(one, names, args.replicas, federation=args.federation),
                    boundary_arn=boundary_arn,
                    dead_letter_arn=alarms.dead_letter_arn,
                    alarm_topic_arn=alarms.topic_arn,
                    environment=_environment(one),
                    timeout_seconds=one.timeout_seconds,
                    reserved=one.reserved,
                    log_retention_days=args.log_retention_days,
                    log_group=names.log_group(function_name),
                    tags=names.tags,
                    # Deleted before the bucket, which would stay if the function wrote to it while it is emptied.
                    after=[store] if one.watches else [intake] if intake and one in CONNECT_FUNCTIONS else [],
                ),
                child,
            )

        functions = {one: function(one) for one in (ALL_FUNCTIONS if args.connect else FUNCTIONS)}
        if args.connect:
            Connect(
                f"{name}-connect",
                ConnectArgs(names=names, page_arn=functions[CONNECT].arn, promoter_arn=functions[PROMOTER].arn),
                child,
            )
        rotation, provisioner = functions[ROTATION], functions[PROVISIONER]
        Sweep(
            f"{name}-sweeping",
            SweepArgs(names=names, function_arn=functions[SWEEP].arn, alarm_topic_arn=alarms.topic_arn),
            child,
        )
        Health(
            f"{name}-health",
            HealthArgs(
                names=names,
                function_arn=functions[HEALTH].arn,
                alarm_topic_arn=alarms.topic_arn,
                every_minutes=args.health_every_minutes,
            ),
            child,
        )
        AdminRotation(
            f"{name}-admin",
            AdminRotationArgs(
                names=names,
                secret_arn=admin_secret.arn,
                function_arn=functions[ADMIN_ROTATION].arn,
                life=args.admin_key_life,
            ),
            child,
        )
        permission = Permission(
            f"{name}-rotation-permission",
            statement_id="SecretsManagerRotatesThisCell",
            action="lambda:InvokeFunction",
            function=rotation.arn,
            principal="secretsmanager.amazonaws.com",
            source_account=names.account_id,
            source_arn=names.tenant_secrets_arn_pattern,
            opts=child,
        )
        runtime = RuntimeAccess(
            f"{name}-runtime",
            RuntimeAccessArgs(
                names=names,
                principals=runtime_callers(names, args.runtime_principals, federation=args.federation),
                boundary_arn=boundary_arn,
                replicas=args.replicas,
                federation=args.federation,
                after=[functions[HEALTH]] if args.federation else [],
            ),
            child,
        )
        if args.handover_principals:
            HandoverAccess(
                f"{name}-handover",
                HandoverAccessArgs(
                    names=names,
                    principals=args.handover_principals,
                    boundary_arn=boundary_arn,
                    alarm_topic_arn=alarms.topic_arn,
                ),
                child,
            )
        # A tenant's stack, and another program's tenant too, writes its declaration when the bucket is closed.
        self.kms_key_arn = pulumi.Output.all(key.arn, store.bucket).apply(lambda both: both[0])
        self.rotation_function_arn = pulumi.Output.all(rotation.arn, permission.id).apply(lambda both: both[0])
        self.provisioner_function = provisioner.arn.apply(lambda _: names.provisioner_function)
        self.runtime_role_arn = runtime.role_arn
        self.admin_secret_arn = admin_secret.arn
        self.health_bucket = store.bucket
        self.federation_issuer = federation_issuer(name, child, enabled=args.federation, issuer=args.issuer)
        self.register_outputs(
            {
                "kms_key_arn": self.kms_key_arn,
                "rotation_function_arn": self.rotation_function_arn,
                "provisioner_function": self.provisioner_function,
                "runtime_role_arn": self.runtime_role_arn,
                "admin_secret_arn": self.admin_secret_arn,
                "health_bucket": self.health_bucket,
                "federation_issuer": self.federation_issuer,
            }
        )

    def _intake(self, name: str, args: PlatformArgs) -> Intake:
        """Only people sign links and confirm, so the pipeline's role is not among the deployers."""
        return Intake(
            f"{name}-intake",
            IntakeArgs(names=args.names, deployers=args.deployer_principals, tls=args.tls, protect=args.protect),
            pulumi.ResourceOptions(parent=self),
        )
