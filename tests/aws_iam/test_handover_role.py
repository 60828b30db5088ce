"""The hand-over role by real calls, with the documents that the platform deploys: what a person reads, what is refused,
and that the proof's model says the same of each call.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest

from components.handover import used_pattern
from components.iam import resource
from components.iam.boundary import permissions_boundary
from components.iam.handover import handover_read, handover_trust
from local import totp
from myflux_keys.aws_names import CellNames
from ops.isolation.concrete import Somebody, decided
from ops.isolation.deployment import Secret
from tests.aws_iam.served import ACCOUNT, REGION, Cell, allow, as_tags, document, refusal, trust, unique, user_arn

NAMES = CellNames("handed", ACCOUNT, REGION)
CONSUMERS = {"fjord": "myflux cinnox", "globex": "cinnox", "acme": "myflux"}
"""Nobody pastes acme's key."""
VERSIONS = ("the old key", "the key")
DEPLOYER = user_arn("deployer")


@dataclass
class HandedOver:
    """`person` has a device for each code that they show: a code is taken once."""

    cell: Cell
    name: str
    person: Any
    secrets: dict[str, Secret]

    def factor(self) -> dict[str, str]:
        iam = self.cell.client("administrator", "iam")
        made = iam.create_virtual_mfa_device(VirtualMFADeviceName=unique("phone"))["VirtualMFADevice"]
        seed, now = made["Base32StringSeed"].decode(), totp.step(time.time())
        codes = {f"AuthenticationCode{place}": totp.code(seed, now - 3 + place) for place in (1, 2)}
        iam.enable_mfa_device(UserName=self.name, SerialNumber=made["SerialNumber"], **codes)
        return {"SerialNumber": made["SerialNumber"], "TokenCode": totp.code(seed, now)}

    def session(self, tenant: str) -> Any:
        tags = as_tags({"tenant": tenant})
        name = {"RoleSessionName": self.name}
        return self.cell.assume(self.person, NAMES.handover_role_arn, Tags=tags, **name, **self.factor())

    def secretsmanager(self, tenant: str) -> Any:
        return self.cell.client(self.session(tenant), "secretsmanager")


@pytest.fixture(scope="module")
def handed(cell: Cell) -> HandedOver:
    iam, kms = cell.client("administrator", "iam"), cell.client("administrator", "kms")
    name, person = cell.user([allow(["sts:AssumeRole", "sts:TagSession"])])
    boundary = iam.create_policy(
        PolicyName=NAMES.boundary_policy, PolicyDocument=json.dumps(permissions_boundary(NAMES))
    )
    iam.create_role(
        RoleName=NAMES.handover_role,
        AssumeRolePolicyDocument=json.dumps(handover_trust([user_arn(name)])),
        PermissionsBoundary=boundary["Policy"]["Arn"],
        Tags=as_tags(NAMES.tags),
    )
    iam.put_role_policy(
        RoleName=NAMES.handover_role, PolicyName="read", PolicyDocument=json.dumps(handover_read(NAMES))
    )
    key = kms.create_key()["KeyMetadata"]["Arn"]
    secrets = {tenant: a_secret(cell, tenant, key) for tenant in CONSUMERS}
    policy = resource.cell_key(NAMES, deployers=[DEPLOYER], governors=[DEPLOYER], handover=True)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    return HandedOver(cell, name, person, secrets)


def a_secret(cell: Cell, tenant: str, key: str) -> Secret:
    """Filled before its policies are set, which let nobody here fill it."""
    admin, names = cell.client("administrator", "secretsmanager"), NAMES.tenant(tenant)
    tags = {**names.tags, "myflux:consumers": CONSUMERS[tenant]}
    arn = admin.create_secret(Name=names.secret, KmsKeyId=key, SecretString=VERSIONS[0], Tags=as_tags(tags))["ARN"]
    admin.put_secret_value(SecretId=arn, SecretString=VERSIONS[1])
    policy = json.dumps(
        resource.tenant_secret(
            names,
            reader_role=NAMES.runtime_role_arn,
            writers=[NAMES.role_arn(NAMES.rotation_function)],
            deployers=[DEPLOYER],
            enabled=True,
            handed_over="cinnox" in CONSUMERS[tenant],
        )
    )
    admin.put_resource_policy(SecretId=arn, ResourcePolicy=policy)
    return Secret(names.secret, arn, tuple(sorted(tags.items())), policy, "", "", tenant, managed=True)


def model_says(secret: Secret, tag: str, stage: str, action: str = "GetSecretValue") -> bool | None:
    documents = (("read", json.dumps(handover_read(NAMES))),)
    boundary = json.dumps(permissions_boundary(NAMES))
    person = Somebody(NAMES.handover_role_arn, documents, boundary, tag, stage)
    return decided(person, f"secretsmanager:{action}", secret)


@pytest.mark.parametrize("tenant", ["fjord", "globex"])
def test_a_person_reads_the_current_key_of_a_tenant_with_such_a_consumer(handed: HandedOver, tenant: str):
    secrets = handed.secretsmanager(tenant)
    read = secrets.get_secret_value(SecretId=handed.secrets[tenant].arn, VersionStage="AWSCURRENT")
    assert read["SecretString"] == "the key"
    assert model_says(handed.secrets[tenant], tenant, "AWSCURRENT") is True


@pytest.mark.parametrize(
    ("session", "of", "stage"),
    [
        ("fjord", "globex", "AWSCURRENT"),
        ("fjord", "acme", "AWSCURRENT"),
        ("acme", "acme", "AWSCURRENT"),
        ("fjord", "fjord", "AWSPREVIOUS"),
        ("fjord", "fjord", ""),
    ],
    ids=["another tenant's", "another's who pastes nothing", "nobody pastes it", "the old key", "no stage named"],
)
def test_no_other_key_is_read(handed: HandedOver, session: str, of: str, stage: str):
    named = {"VersionStage": stage} if stage else {}
    secrets, secret = handed.secretsmanager(session), handed.secrets[of]
    code, _ = refusal(lambda: secrets.get_secret_value(SecretId=secret.arn, **named))
    assert code == "AccessDeniedException"
    assert model_says(secret, session, stage) is False


def test_an_old_version_is_not_read_by_its_id(handed: HandedOver):
    admin, secret = handed.cell.client("administrator", "secretsmanager"), handed.secrets["fjord"]
    stages = admin.describe_secret(SecretId=secret.arn)["VersionIdsToStages"]
    (old,) = [version for version, labels in stages.items() if "AWSPREVIOUS" in labels]
    secrets = handed.secretsmanager("fjord")
    assert refusal(lambda: secrets.get_secret_value(SecretId=secret.arn, VersionId=old))[0] == "AccessDeniedException"
    with_the_label = {"VersionId": old, "VersionStage": "AWSCURRENT"}
    code, _ = refusal(lambda: secrets.get_secret_value(SecretId=secret.arn, **with_the_label))
    assert code in ("InvalidRequestException", "ResourceNotFoundException"), "AWS compares the two"


def test_a_person_does_nothing_else(handed: HandedOver):
    session, secret = handed.session("fjord"), handed.secrets["fjord"]
    secrets = handed.cell.client(session, "secretsmanager")
    calls = {
        "PutSecretValue": lambda: secrets.put_secret_value(SecretId=secret.arn, SecretString="x"),
        "TagResource": lambda: secrets.tag_resource(SecretId=secret.arn, Tags=as_tags({"tenant": "acme"})),
        "DescribeSecret": lambda: secrets.describe_secret(SecretId=secret.arn),
        "ListSecrets": lambda: secrets.list_secrets(),
    }
    for action, call in calls.items():
        assert refusal(call)[0] == "AccessDeniedException", action
        if action != "ListSecrets":
            assert model_says(secret, "fjord", "", action) is False
    batch = secrets.batch_get_secret_value
    assert refusal(lambda: batch(SecretIdList=[secret.arn]))[0] == "AccessDeniedException"
    iam = handed.cell.client(session, "iam")
    assert refusal(lambda: iam.get_role(RoleName=NAMES.handover_role))[0] == "AccessDenied"


@pytest.mark.parametrize(
    "case", ["no second factor", "a wrong code", "no tag", "two tags", "the platform's tag", "another's name"]
)
def test_a_session_is_for_one_tenant_with_a_second_factor_in_ones_own_name(handed: HandedOver, case: str):
    tag = {"tenant": "fjord"}
    right: dict[str, Any] = {"RoleSessionName": handed.name, "Tags": as_tags(tag), **handed.factor()}
    wrong: dict[str, dict[str, Any]] = {
        "no second factor": {key: right[key] for key in ("RoleSessionName", "Tags")},
        "a wrong code": right | {"TokenCode": "000000" if right["TokenCode"] != "000000" else "000001"},
        "no tag": {key: value for key, value in right.items() if key != "Tags"},
        "two tags": right | {"Tags": as_tags({**tag, "team": "x"})},
        "the platform's tag": right | {"Tags": as_tags({"tenant": "_platform"})},
        "another's name": right | {"RoleSessionName": "somebody-else"},
    }
    code, _ = refusal(lambda: handed.cell.assume(handed.person, NAMES.handover_role_arn, **wrong[case]))
    assert code == "AccessDenied"
    if case not in ("a wrong code", "no second factor"):
        # The refused call has used the code up.
        right |= handed.factor()
    assert handed.cell.assume(handed.person, NAMES.handover_role_arn, **right), "what is right about it is taken"


@pytest.mark.parametrize("who", ["deployer", "administrator", "runtime", "stranger", "a role"])
def test_nobody_else_hands_a_key_over(handed: HandedOver, who: str):
    caller: Any = who
    if who == "a role":
        role = handed.cell.role([trust({"AWS": user_arn(handed.name)})], [allow(["sts:AssumeRole", "sts:TagSession"])])
        caller = handed.cell.assume(handed.person, role, **handed.factor())
    options: dict[str, Any] = {"RoleSessionName": handed.name, "Tags": as_tags({"tenant": "fjord"})}
    code, _ = refusal(lambda: handed.cell.assume(caller, NAMES.handover_role_arn, **options))
    assert code == "AccessDenied"


def test_each_use_is_told_with_who_it_was_and_no_value(handed: HandedOver):
    cell, name = handed.cell, unique("told")
    sqs, events = cell.client("administrator", "sqs"), cell.client("administrator", "events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    policy = document(allow("sqs:SendMessage", queue, Principal={"Service": "events.amazonaws.com"}))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    events.put_rule(Name=NAMES.handover_rule, EventPattern=json.dumps(used_pattern(NAMES)), State=state)
    events.put_targets(Rule=NAMES.handover_rule, Targets=[{"Id": "queue", "Arn": queue}])
    secrets = handed.secretsmanager("fjord")
    for tenant in ("fjord", "globex"):
        try:
            secrets.get_secret_value(SecretId=handed.secrets[tenant].arn, VersionStage="AWSCURRENT")
        except secrets.exceptions.ClientError:
            assert tenant == "globex"
    told = [
        json.loads(one["Body"])["detail"]
        for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    ]
    assert [one["eventName"] for one in told] == ["GetSecretValue"] * 2
    assert sorted(one.get("errorCode", "") for one in told) == ["", "AccessDenied"], "the attempt too"
    for one in told:
        identity = one["userIdentity"]
        assert identity["arn"].endswith(f"/{NAMES.handover_role}/{handed.name}")
        assert identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "true"
    assert not any(value in json.dumps(told) for value in VERSIONS)
