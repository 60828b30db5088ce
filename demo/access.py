"""Checks which callers can read which secrets, and that all others are denied."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from demo.report import CheckFailed, Report
from demo.scene import NO_IDENTITY, Scene, denied, secrets_of, session_of, wait_until
from myflux_keys import AccessDeniedError, NotReadyError


def runtime_answers(scene: Scene, report: Report) -> str:
    for tenant in scene.managed:
        with scene.reader.openai_client(tenant) as client:
            model = scene.reader.get(tenant).models[0]
            answer = client.responses.create(model=model, input="A caller asks: are you open on Sunday?")
        if not answer.output_text:
            raise CheckFailed(f"the model answered {tenant} with nothing")
        scene.first_keys[tenant] = scene.reader.get(tenant)
    for tenant in scene.customers:
        try:
            scene.reader.get(tenant)
        except NotReadyError:
            continue
        raise CheckFailed(f"{tenant} has no key stored, but a key was read")
    report.figures["model_calls_answered"] = len(scene.managed)
    return f"the model answered {', '.join(scene.managed)}; {', '.join(scene.customers)} has no key yet, as expected"


def cross_tenant_denied(scene: Scene, report: Report) -> str:
    tenants = sorted(scene.fleet.tenants)
    pairs = list(permutations(tenants, 2))
    for reader, owner in pairs:
        secrets = secrets_of(scene.as_runtime(reader))
        denied(lambda s=secrets, o=owner: read(s, scene.names.tenant(o).secret), f"{reader} reading {owner}'s key")
    report.figures["ordered_pairs_denied"] = len(pairs)
    return f"{len(pairs)} ordered pairs of {len(tenants)} tenants: each read was denied"


def strangers_denied(scene: Scene, report: Report) -> str:
    names = scene.names
    tenants = [names.tenant(tenant).secret for tenant in sorted(scene.fleet.tenants)]
    places = [names.admin_secret, *tenants]
    users = ("deployer", "ci", "stranger", "runtime", "administrator")
    unsigned = secrets_of(boto3.Session(region_name=scene.cell.region), Config(signature_version=UNSIGNED))
    attempts = [
        (who, secrets, place)
        for who, secrets in ((f"user {user}", scene.client(user, "secretsmanager")) for user in users)
        for place in places
    ]
    attempts += [
        ("the runtime as a tenant", secrets_of(scene.as_runtime(tenant)), names.admin_secret)
        for tenant in scene.managed
    ]
    with AnotherRole(scene) as session:
        attempts += [("another application's role", secrets_of(session), place) for place in places]
        for who, secrets, place in attempts:
            denied(lambda s=secrets, p=place: read(s, p), f"{who} reading {place}")
    for place in places:
        denied(lambda p=place: read(unsigned, p), f"an unsigned request for {place}", NO_IDENTITY)
    made = len(attempts) + len(places) + _nobody_else_becomes_the_runtime(scene)
    report.figures["strangers_attempts_denied"] = made
    return f"{made} attempts by deployer, CI, an administrator, other roles and unsigned calls: each was denied"


def disable_denies(scene: Scene) -> str:
    tenant = scene.managed[0]
    file = scene.fleet_folder / "tenants" / f"{tenant}.yaml"
    enabled = file.read_text(encoding="utf-8")
    file.write_text(enabled.replace("enabled: true", "enabled: false"), encoding="utf-8")
    if file.read_text(encoding="utf-8") == enabled:
        raise CheckFailed(f"{file.name} has no line `enabled: true` to change")
    stack = scene.names.tenant(tenant).stack
    scene.reader.get(tenant)
    scene.engine.up(stack)
    # The reader leaves a second and more between two calls to AWS, and the engine may be faster.
    wait_until(lambda: _is_denied(scene, tenant), f"AWS to deny the key of {tenant}, which is disabled", seconds=30)
    for other in scene.managed[1:]:
        scene.reader.get(other, fresh=True)
    file.write_text(enabled, encoding="utf-8")
    scene.engine.up(stack)
    scene.new_reader().get(tenant)
    return (
        f"{tenant} was denied while disabled, although its key was cached; other tenants, and {tenant} when enabled "
        "again, could read"
    )


def _is_denied(scene: Scene, tenant: str) -> bool:
    try:
        scene.reader.get(tenant, fresh=True)
    except AccessDeniedError:
        return True
    return False


def read(secrets: Any, place: str) -> None:
    """Reads the value and drops it: the check is only whether AWS allows the read."""
    secrets.get_secret_value(SecretId=place, VersionStage="AWSCURRENT")


def _nobody_else_becomes_the_runtime(scene: Scene) -> int:
    role = scene.names.runtime_role_arn
    tag = [{"Key": "tenant", "Value": scene.managed[0]}]
    attempts: list[tuple[str, str, dict[str, Any]]] = [
        (user, f"user {user} as the runtime", {"Tags": tag}) for user in ("deployer", "ci", "stranger", "administrator")
    ]
    attempts += [
        ("runtime", "the runtime without a tenant", {}),
        ("runtime", "the runtime as the platform", {"Tags": [{"Key": "tenant", "Value": "_platform"}]}),
        ("runtime", "the runtime with another tag", {"Tags": [*tag, {"Key": "cell", "Value": "other"}]}),
    ]
    for user, who, tags in attempts:
        sts = scene.client(user, "sts")
        denied(lambda s=sts, t=tags: s.assume_role(RoleArn=role, RoleSessionName="demo", **t), who)
    return len(attempts)


class AnotherRole:
    """A role of the same account with every right that an identity policy can give, for as long as it is needed."""

    NAME = "another-application"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._iam = scene.client("administrator", "iam")

    def __enter__(self) -> boto3.Session:
        account = self._scene.cell.account_id
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:user/administrator"},
                    "Action": ["sts:AssumeRole", "sts:TagSession"],
                }
            ],
        }
        everything = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
        }
        self._iam.create_role(RoleName=self.NAME, AssumeRolePolicyDocument=json.dumps(trust))
        self._iam.put_role_policy(RoleName=self.NAME, PolicyName="all", PolicyDocument=json.dumps(everything))
        answer = self._scene.client("administrator", "sts").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/{self.NAME}",
            RoleSessionName="demo",
            Tags=[{"Key": "tenant", "Value": self._scene.managed[0]}],
        )
        return session_of(answer["Credentials"], self._scene.cell.region)

    def __exit__(self, *_: object) -> None:
        self._iam.delete_role_policy(RoleName=self.NAME, PolicyName="all")
        self._iam.delete_role(RoleName=self.NAME)
