"""What `doctor` says of each fact: once where all is right, once for each way to be wrong, with what to type.

No answer of AWS's is needed: the facts are given. `test_doctor_on_a_cell.py` asks a running cell for them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from functions.health.state import State, TenantState
from functions.sweep.trust import DeadTrust
from ops.actions import doctor, doctor_account, doctor_health, run_doctor
from ops.actions.doctor import Finding, FunctionSeen
from ops.actions.health_memory import Memory
from ops.errors import OperationError
from ops.rotation_state import SecretFacts
from tenancy import Cell

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:myflux-prod-eu1-alarms"
CELL, REGION = "prod-eu1", "eu-central-1"
RUNS = FunctionSeen("Active", "Successful", "", 5)
USABLE = {"KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT"}
BLOCKED: dict[str, bool] = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)
SECRET = SecretFacts(
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:myflux-admin/prod-eu1/openai-AbCdEf",
    "myflux-admin/prod-eu1/openai",
    {},
    rotation_enabled=True,
    answered_at=NOW,
    stages={"v1": ["AWSCURRENT"]},
    next_rotation=NOW + timedelta(days=20),
)
LOOKED = State({"acme": TenantState()}, cycle_began=NOW.timestamp() - 179 * 60)
LATE = replace(LOOKED, cycle_began=1.0)
LOGS = "/aws/lambda/myflux-prod-eu1-health"
STORED = NOW - timedelta(days=40)


RIGHT = [
    doctor_account.python((3, 11, 0), ">=3.11"),
    doctor_account.engine("v3.250.0", "3.250.0"),
    doctor_account.engine("v3.251.0-beta.1", "3.250.0"),
    doctor_account.clock(300, local=False),
    doctor_account.concurrency(unreserved=120, total=1000, missing=20, region=REGION),
    # A cell that runs takes nothing more, whatever others have left.
    doctor_account.concurrency(unreserved=100, total=120, missing=0, region=REGION),
    doctor_account.roles(used=994, quota=1000, missing=6),
    doctor_account.bucket("states", REGION, REGION),
    doctor_account.versioning("states", "Enabled"),
    doctor_account.public_access("states", BLOCKED),
    doctor_account.encryption("states", "AES256"),
    doctor_account.state_key(KEY, USABLE),
    doctor.provider("gitlab.com", "arn", "sts.amazonaws.com", ["other", "sts.amazonaws.com"]),
    doctor.pipeline_trust(CELL, "deployer", "repo:a/b", {"Statement": []}, {"Statement": []}),
    doctor.readers(CELL, "runtime", ["runtime", "acme"], [], []),
    doctor.functions(CELL, {"rotation": RUNS}),
    doctor.admin_key(CELL, SECRET, STORED),
    doctor.openai(CELL, "org-a", calls=1, days_left=14),
    doctor.alarms(CELL, TOPIC, REGION, {"oncall@example.com": True}),
    doctor_health.health(Memory(LOOKED), 60, LOGS, NOW.timestamp()),
]


@pytest.mark.parametrize("found", RIGHT, ids=lambda found: found.check)
def test_what_is_right_is_ok_and_asks_for_nothing(found: Finding) -> None:
    assert (found.state, found.mend) == ("ok", "")
    assert found.seen


@pytest.mark.parametrize(
    ("memory", "seen"),
    [
        (Memory(None, "health_not_run", "it has not looked"), "not looked at the tenants yet"),
        (Memory(None, "health_not_read", "the stored state has schema 7"), "schema 7"),
        (Memory(replace(LOOKED, cycle_began=NOW.timestamp() + 3601)), "still to come"),
    ],
)
def test_a_health_function_of_which_nothing_is_known_is_not_ok(memory: Memory, seen: str) -> None:
    found = doctor_health.health(memory, 60, LOGS, NOW.timestamp())
    assert (found.state, seen in found.seen) == ("not checked", True)
    assert found.mend


WRONG = [
    (
        doctor_health.health(Memory(replace(LOOKED, cycle_began=1.0)), 60, LOGS, NOW.timestamp()),
        f"aws logs tail {LOGS}",
    ),
    (doctor_health.health(Memory(replace(LOOKED, unsent=(("a", "b"),))), 60, LOGS, NOW.timestamp()), "health.unsent"),
    (doctor_account.python((3, 10, 14), ">=3.11"), "make install"),
    (doctor_account.engine(None, "3.250.0"), "make engine"),
    (doctor_account.engine("v3.249.9", "3.250.0"), "make engine"),
    (doctor_account.engine("v3.250.0-alpha.1", "3.250.0"), "make engine"),
    (doctor_account.clock(-301, local=False), "set-ntp true"),
    # New accounts have ten: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    (doctor_account.concurrency(10, 10, 20, REGION), "--quota-code L-B99A9384 --desired-value 1000"),
    (doctor_account.concurrency(119, 2000, 20, REGION), "--desired-value 2001"),
    (doctor_account.roles(used=995, quota=1000, missing=6), "Roles per account"),
    (doctor_account.bucket("states", REGION, None), "state.bucket"),
    (doctor_account.bucket("states", REGION, "us-east-1"), "docs/state.md"),
    (doctor_account.versioning("states", None), "put-bucket-versioning --bucket states"),
    (doctor_account.versioning("states", "Suspended"), "put-bucket-versioning --bucket states"),
    (doctor_account.public_access("states", None), "put-public-access-block --bucket states"),
    (doctor_account.public_access("states", BLOCKED | {"BlockPublicPolicy": False}), "BlockPublicPolicy=true"),
    (doctor_account.encryption("states", None), "put-bucket-encryption --bucket states"),
    (doctor_account.state_key(KEY, None), "state.kms_key"),
    (doctor_account.state_key(KEY, USABLE | {"KeyState": "Disabled"}), "aws kms enable-key --region eu-central-1"),
    (doctor_account.state_key(KEY, USABLE | {"KeyState": "PendingDeletion"}), "cancel-key-deletion"),
    (doctor_account.state_key(KEY, USABLE | {"KeyUsage": "SIGN_VERIFY", "KeySpec": "RSA_2048"}), "state.kms_key"),
    (doctor.provider("gitlab.com", "arn", "sts.amazonaws.com", None), "create-open-id-connect-provider"),
    (doctor.provider("gitlab.com", "arn", "sts.amazonaws.com", ["x"]), "add-client-id-to-open-id-connect-provider"),
    (doctor.pipeline_trust(CELL, "deployer", "repo:a/b", {"Statement": []}, None), "up --refresh --stack prod-eu1"),
    (doctor.pipeline_trust(CELL, "deployer", "repo:a/b", {"Statement": []}, {}), "up --refresh --stack prod-eu1"),
    (doctor.readers(CELL, "runtime", [], ["runtime"], []), "myflux-keys up --cell prod-eu1"),
    (doctor.readers(CELL, "runtime", ["runtime"], [], [DeadTrust("runtime", None, ["AIDAX"])]), "up --refresh"),
    (doctor.readers(CELL, "r", ["r", "a"], [], [DeadTrust("a", "acme", ["AROAX"])]), "myflux-keys up acme"),
    (doctor.functions(CELL, {"rotation": RUNS, "sweep": None}), "myflux-keys up --cell prod-eu1"),
    (doctor.functions(CELL, {"sweep": replace(RUNS, state="Failed", reason="no code")}), "up --refresh"),
    (doctor.functions(CELL, {"sweep": replace(RUNS, update="InProgress")}), "wait a minute"),
    (doctor.admin_key(CELL, None, None), "myflux-keys up --cell prod-eu1"),
    (doctor.admin_key(CELL, replace(SECRET, deleted=NOW), None), "restore-secret"),
    (doctor.admin_key(CELL, replace(SECRET, stages={}), None), "admin-key set --cell prod-eu1"),
    (doctor.admin_key(CELL, replace(SECRET, rotation_enabled=False), STORED), "up --refresh"),
    (doctor.admin_key(CELL, replace(SECRET, next_rotation=STORED), STORED), "admin-key rotate --cell prod-eu1"),
    (doctor.openai(CELL, "org-a", calls=1, days_left=13.9), "admin-key rotate --cell prod-eu1"),
    (doctor.openai_failed(CELL, OperationError("OpenAI answered 401")), "admin-key set --cell prod-eu1"),
    (doctor.alarms(CELL, TOPIC, REGION, None), "myflux-keys up --cell prod-eu1"),
    # AWS deletes a subscription that nobody confirms within 48 hours:
    # https://aws.amazon.com/about-aws/whats-new/2023/05/amazon-sns-automatic-deletion-unconfirmed-subscriptions/
    (doctor.alarms(CELL, TOPIC, REGION, {"a@example.com": True, "b@example.com": None}), "up --refresh"),
    (
        doctor.alarms(CELL, TOPIC, REGION, {"b@example.com": False}),
        f"sns subscribe --region {REGION} --topic-arn {TOPIC}",
    ),
]


@pytest.mark.parametrize(("found", "typed"), WRONG, ids=lambda value: getattr(value, "check", ""))
def test_what_is_wrong_says_what_was_seen_and_what_to_type(found: Finding, typed: str) -> None:
    assert found.state == "wrong"
    assert found.seen
    assert typed in found.mend


def test_an_unconfirmed_address_is_named_and_a_confirmed_one_beside_it_is_not() -> None:
    found = doctor.alarms(CELL, TOPIC, REGION, {"a@example.com": True, "b@example.com": False})
    assert "b@example.com has not confirmed" in found.seen
    assert "a@example.com" not in found.seen


def test_the_admin_keys_age_and_next_rotation_are_told() -> None:
    assert doctor.admin_key(CELL, SECRET, STORED).seen == "stored 40 d ago, rotates by 2026-12-19"


NOT_SEEN = [
    doctor_account.clock(None, local=False),
    doctor_account.clock(86_400, local=True),
    doctor.openai(CELL, "org-a", calls=0, days_left=None),
    doctor.openai_limits(CELL),
    doctor.admin_key(CELL, replace(SECRET, next_rotation=None), STORED),
    doctor.alarms(CELL, TOPIC, REGION, {}),
]


@pytest.mark.parametrize("found", NOT_SEEN, ids=lambda found: found.check)
def test_what_could_not_be_seen_is_not_called_ok(found: Finding) -> None:
    assert found.state == "not checked"
    assert found.seen, "it says why"


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetAccountSettings")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            refused("AccessDeniedException", "not authorized to perform: lambda:GetAccountSettings on"),
            "lambda:GetAccount",
        ),
        (refused("403", "Forbidden"), "AWS denied GetAccountSettings"),
        (refused("ThrottlingException", "Rate exceeded"), "Rate exceeded"),
        (EndpointConnectionError(endpoint_url="https://x.example"), "AWS cannot be reached"),
        (OperationError("it already runs as often as it may"), "as often as it may"),
    ],
    ids=["denied", "denied without words", "throttled", "unreachable", "busy"],
)
def test_a_look_that_fails_is_a_check_that_was_not_made(error: Exception, why: str) -> None:
    def look() -> Finding:
        raise error

    found = run_doctor.looked("quota", look)
    assert (found.check, found.state) == ("quota", "not checked")
    assert why in found.seen


def test_a_mistake_of_the_programs_own_is_not_hidden_as_not_checked() -> None:
    def look() -> Finding:
        raise KeyError("State")

    with pytest.raises(KeyError):
        run_doctor.looked("functions", look)


@pytest.mark.parametrize(
    ("account", "region", "state", "typed"),
    [
        ("000000000000", "us-east-1", "ok", ""),
        ("000000000000", None, "ok", ""),
        ("123456789012", "us-east-1", "wrong", "sign in to account 000000000000"),
        ("000000000000", "eu-west-1", "wrong", "export AWS_REGION=us-east-1"),
    ],
)
def test_the_caller_is_compared_with_the_cells_file(
    small_cell: Cell, account: str, region: str | None, state: str, typed: str
) -> None:
    found: Any = doctor_account.caller(small_cell, account, "arn:aws:iam::1:user/me", region)
    assert found.state == state
    assert typed in found.mend


def test_this_machine_runs_what_the_repository_pins() -> None:
    assert run_doctor.python().state == "ok", "this test runs in it"
