"""What `verify` says of each answer: once where all is right, and once for each way to be wrong, with what to type."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.iam.resource import tenant_secret
from functions.health.calls import ALL
from functions.health.handover_facts import HandoverSeen
from functions.health.trouble import KINDS
from functions.sweep.trust import DeadTrust
from myflux_keys import names
from myflux_keys.cell_functions import ROTATION
from myflux_keys.declaration import Declaration
from ops.actions import run_verify, verify, verify_access, verify_openai
from ops.actions.history import Life
from ops.actions.sweep import Swept
from ops.actions.verify import Step
from ops.errors import OperationError
from ops.isolation.concrete import Somebody
from ops.rotation_state import facts
from tenancy import Cell, Tenant
from tenancy.declaration import declared

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def acme(fleet: Any) -> Tenant:
    return fleet.tenants["acme"]


def described(cell: Cell, **changes: Any) -> dict[str, Any]:
    """DescribeSecret's answer about a secret that is as it should be."""
    tags = {
        **cell.names.tenant("acme").tags,
        names.TAG_PERMISSION: "restricted",
        names.TAG_MODELS: "gpt-5-mini",
        names.TAG_EVERY_DAYS: "30",
        names.TAG_OVERLAP_HOURS: "24",
        names.TAG_PROJECT_ID: "proj_1",
        names.TAG_SERVICE_ACCOUNT_ID: "svc_1",
    }
    return {
        "ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux/local/acme/openai-AbCdEf",
        "Name": "myflux/local/acme/openai",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "RotationEnabled": True,
        "RotationLambdaARN": cell.names.rotation_function_arn,
        "RotationRules": {"ScheduleExpression": "cron(0 3 12 * ? *)"},
        "LastRotatedDate": NOW - 48 * HOUR,
        "NextRotationDate": NOW + 48 * HOUR,
        "LastChangedDate": NOW - 48 * HOUR,
        "VersionIdsToStages": {"v2": ["AWSCURRENT"], "v1": ["AWSPREVIOUS"]},
        "ResponseMetadata": {"HTTPHeaders": {"date": "Sun, 29 Nov 2026 09:00:00 GMT"}},
        **changes,
    }


def test_a_function_that_is_gone_is_made_again_and_a_platform_that_never_was_is_deployed(fleet: Any) -> None:
    """`pulumi up` refuses a stack that does not exist."""
    cell = fleet.cells["local"]
    all_there = {"myflux-local-rotation": "Active", "myflux-local-sweep": "Active"}
    assert verify.functions(cell, all_there).state == "ok"
    one_gone = verify.functions(cell, {**all_there, "myflux-local-sweep": None})
    assert (one_gone.state, one_gone.mend) == ("wrong", "pulumi up --refresh --stack local")
    assert "myflux-local-sweep: not there" in one_gone.answer
    assert verify.functions(cell, dict.fromkeys(all_there)).mend == "myflux-keys up --cell local"
    assert verify.functions(cell, {**all_there, "myflux-local-sweep": "Inactive"}).state == "wrong"


def of_secret(cell: Cell, tenant: Tenant, **changes: Any) -> dict[str, Step]:
    told = described(cell, **changes)
    found = [
        verify.secret(cell, tenant, told),
        verify.versions(tenant, facts(told)),
        verify.rotation(cell, tenant, told),
        verify.copies(cell, tenant, told),
    ]
    return {one.step: one for one in found}


def test_a_secret_that_is_right_is_ok_in_each_step(small_cell: Cell, acme: Tenant) -> None:
    found = of_secret(small_cell, acme)
    assert {one.state for one in found.values()} == {"ok"}
    assert found["versions"].answer == "AWSCURRENT is v2; AWSPREVIOUS is v1"
    assert "next by 2026-12-01 09:00Z, cron(0 3 12 * ? *)" in found["rotation"].answer


@pytest.mark.parametrize(
    ("changes", "step", "words", "mend"),
    [
        ({"Tags": []}, "secret", "tag tenant is missing", "myflux-keys up acme"),
        ({"DeletedDate": NOW}, "secret", "deletion is scheduled", "myflux-keys adopt acme"),
        ({"VersionIdsToStages": {}}, "versions", "there is no key", "myflux-keys rotate acme --wait"),
        (
            {"VersionIdsToStages": {"v2": ["AWSCURRENT"], "v3": ["AWSPENDING"]}},
            "versions",
            "a rotation that failed has left",
            "myflux-keys rotate acme --wait",
        ),
        ({"RotationEnabled": False}, "rotation", "it is off", "myflux-keys up acme"),
        ({"RotationLambdaARN": "arn:other"}, "rotation", "done by arn:other", "myflux-keys up acme"),
        ({"NextRotationDate": NOW - HOUR}, "rotation", "it was due on", "myflux-keys rotate acme --wait"),
        (
            {"ReplicationStatus": [{"Region": "eu-west-1", "Status": "Failed", "StatusMessage": "no key"}]},
            "copies",
            "eu-west-1 is Failed no key",
            "myflux-keys up acme",
        ),
    ],
)
def test_a_fault_of_the_secret_is_named_with_what_to_type(
    small_cell: Cell, acme: Tenant, changes: Any, step: str, words: str, mend: str
) -> None:
    found = of_secret(small_cell, acme, **changes)[step]
    assert (found.state, found.mend) == ("wrong", mend)
    assert words in found.answer


def test_a_rotation_under_way_is_not_wrong(small_cell: Cell, acme: Tenant) -> None:
    stages = {"v2": ["AWSCURRENT"], "v3": ["AWSPENDING"]}
    found = of_secret(small_cell, acme, VersionIdsToStages=stages, LastChangedDate=NOW - HOUR)["versions"]
    assert found.state == "ok"
    assert "a rotation is under way" in found.answer


@pytest.mark.parametrize(
    ("has", "state", "mend"),
    [
        (True, "ok", ""),
        (False, "wrong", "myflux-keys up acme"),
        (None, "could not be asked", "myflux-keys preview acme"),
    ],
)
def test_the_stacks_state(has: bool | None, state: str, mend: str) -> None:
    found = verify.stack("acme.local", "file:///states", has, locked=False, marked=True)
    assert (found.state, found.mend) == (state, mend)


def life(**changes: Any) -> Life:
    base: dict[str, Any] = {
        "version": "v2",
        "state": "current",
        "minted": NOW,
        "promoted": NOW,
        "expires": None,
        "by": "schedule",
        "who": "",
        "reason": "",
        "problem": "",
    }
    return Life(**(base | changes))


def test_the_last_rotation(acme: Tenant) -> None:
    assert verify.last_rotation(acme, [life()]).state == "ok"
    failed = verify.last_rotation(acme, [life(), life(problem="RotationFailed: no", promoted=None)])
    assert (failed.state, failed.mend) == ("wrong", "myflux-keys rotate acme --wait")
    assert verify.last_rotation(acme, []).state == "could not be asked"


def policy_of(cell: Cell, tenant: Tenant) -> dict[str, Any]:
    own = cell.names.tenant(tenant.tenant)
    return tenant_secret(
        own,
        reader_role=cell.names.runtime_role_arn,
        writers=[cell.names.function_role_arn(ROTATION)],
        deployers=cell.deployers,
        enabled=tenant.enabled,
    )


def test_a_policy_that_somebody_changed_is_named_by_its_statements(small_cell: Cell, acme: Tenant) -> None:
    wanted: Any = policy_of(small_cell, acme)
    assert verify.policy(acme, "s", wanted, wanted).state == "ok"
    fewer = {**wanted, "Statement": [*wanted["Statement"][1:], {"Sid": "Friends"}]}
    found = verify.policy(acme, "s", fewer, wanted)
    assert (found.state, found.mend) == ("wrong", "myflux-keys up acme")
    assert found.answer == "it lacks OnlyRuntimeAndFunctionsRead and also has Friends"
    assert verify.policy(acme, "s", None, wanted).state == "wrong"


READS = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}]}
)


def test_who_may_read_is_decided_as_aws_does(small_cell: Cell, acme: Tenant) -> None:
    held = facts(described(small_cell))
    role = Somebody(small_cell.names.runtime_role_arn, (("reads", READS),))
    lock = verify_access.lock(acme, held, policy_of(small_cell, acme))
    assert verify_access.reader(acme, role, lock).state == "ok"
    assert verify_access.nobody_else(small_cell, acme, lock).state == "ok"
    assert verify_access.reader(acme, Somebody(role.arn, ()), lock).answer == "denied, although the tenant is enabled"
    disabled = acme.model_copy(update={"enabled": False})
    shut = verify_access.lock(disabled, held, policy_of(small_cell, disabled))
    assert verify_access.reader(disabled, role, shut).state == "ok", "denied is what the file asks for"
    assert verify_access.reader(acme, role, shut).mend == "myflux-keys up acme"


@pytest.mark.parametrize(
    ("sid", "who"),
    [
        ("OnlyRuntimeAndFunctionsRead", "an administrator"),
        ("RuntimeReadsAsThisTenantOnly", "the same role as another tenant"),
    ],
)
def test_a_statement_that_is_missing_lets_somebody_in_by_name(
    small_cell: Cell, acme: Tenant, sid: str, who: str
) -> None:
    document = policy_of(small_cell, acme)
    document["Statement"] = [one for one in document["Statement"] if one["Sid"] != sid]
    found = verify_access.nobody_else(
        small_cell, acme, verify_access.lock(acme, facts(described(small_cell)), document)
    )
    assert (found.state, found.mend) == ("wrong", "myflux-keys up acme")
    assert who in found.answer


def inspection(**changes: Any) -> dict[str, Any]:
    base = {"problem": None, "key_id": "key_1", "project_id": "proj_1", "service_account_id": "svc_1"}
    more = {"expires_at": "2027-01-01T00:00:00Z", "proof": "accepted", "project": "myflux-local-acme"}
    return base | more | {"service_account": "myflux-runtime", "listed": True} | changes


@pytest.mark.parametrize(
    ("changes", "states"),
    [
        ({}, ["ok", "ok", "ok"]),
        ({"proof": "unpaid"}, ["ok", "ok", "ok"]),
        ({"proof": "refused"}, ["ok", "wrong", "ok"]),
        ({"proof": "unclear"}, ["ok", "could not be asked", "ok"]),
        ({"project": None, "service_account": None, "listed": False}, ["ok", "ok", "wrong"]),
        ({"project": "another"}, ["ok", "ok", "wrong"]),
        ({"service_account": None}, ["ok", "ok", "wrong"]),
        ({"listed": False}, ["ok", "ok", "wrong"]),
        ({"problem": "it is not ours"}, ["wrong"]),
    ],
)
def test_the_sweeps_look_at_the_value(small_cell: Cell, acme: Tenant, changes: Any, states: list[str]) -> None:
    found = verify_openai.inspected(small_cell, acme, inspection(**changes))
    assert [one.state for one in found] == states
    assert all(one.mend for one in found if one.state == "wrong")


def test_a_tenant_without_a_key_is_not_told_of_one(small_cell: Cell, acme: Tenant) -> None:
    keyless = acme.model_copy(update={"credential": "federated"})
    steps = [
        verify.file(keyless),
        verify.consumers(keyless, None),
        verify_openai.swept(small_cell, keyless, Swept("local", done=True)),
    ]
    told = "; ".join(step.answer for step in steps)
    assert "no key: gets tokens" in told
    assert "there is none" in told
    assert not [word for word in ("rotates", "overlap", "version", "its key") if word in told]


def test_a_sweep_that_did_not_finish_shows_nothing(small_cell: Cell, acme: Tenant) -> None:
    def state(**fields: Any) -> str:
        return verify_openai.swept(small_cell, acme, Swept("local", **fields)).state

    assert state(done=True) == "ok"
    assert state(done=False) == "could not be asked"
    assert state(done=True, failed={"acme": "no answer"}) == "could not be asked"
    assert state(done=True, trust=[DeadTrust("role", None, ["AIDAX"])]) == "wrong"
    entry = {"tenant": "acme", "key_id": "key_2", "found": "orphan", "action": "revoke", "reason": "it is old"}
    assert state(done=True, plan=[entry]) == "ok", "the next sweep ends it by itself"


def answer(**changes: Any) -> dict[str, Any]:
    """The health function's, about a tenant that is well."""
    return {
        "tenant": "acme",
        "at": "2026-11-29T09:00:00Z",
        "organization": "org-local",
        "declared": True,
        "declaration_problem": None,
        "secret": "there",
        "key": {"version": "v2", "minted_at": "2026-11-27T09:00:00Z", "expires_at": "2026-12-30T09:00:00Z"},
        "list": {"cause": "ok", "said": None, "models": ["gpt-5-mini"]},
        "call": {"cause": "ok", "said": None, "model": "gpt-5-mini"},
        "limits": {"spend_limit_cents": 20_000, "models": ["gpt-5-mini"], "rate_limits": {"gpt-5-mini": [500, 9]}},
        "month_usd": "12.5",
        "findings": [],
        "unknown": ["budget_forecast"],
    } | changes


def looked(cell: Cell, tenant: Tenant, **changes: Any) -> dict[str, Step]:
    return {one.step: one for one in verify_openai.looked(cell, tenant, answer(**changes))}


def finding(kind: str, subject: str = "", **values: str) -> dict[str, Any]:
    return {"kind": kind, "subject": subject, "stage": 0, "values": values}


def test_a_look_that_finds_nothing_shows_what_openai_answered(small_cell: Cell, acme: Tenant) -> None:
    found = looked(small_cell, acme)
    assert {one.state for one in found.values()} == {"ok"}
    assert found["calls"].answer == "GET /models: 1 models; a call of gpt-5-mini: answered"
    assert found["money"].answer == "12.50 of 200 USD this month, before tax; today is not complete"
    assert "spend limit 200.00 USD a month" in found["limits"].answer


@pytest.mark.parametrize(
    ("kind", "step", "mend"),
    [
        ("key_refused", "calls", "myflux-keys rotate acme --wait"),
        ("balance_gone", "calls", "add credit under Billing of the organization's settings at OpenAI"),
        ("model_retiring", "models", "myflux-keys up acme"),
        ("budget_reached", "money", "myflux-keys up acme"),
        ("key_expiring", "life of the key", "myflux-keys rotate acme --wait"),
    ],
)
def test_a_finding_is_told_in_the_words_of_its_message(
    small_cell: Cell, acme: Tenant, kind: str, step: str, mend: str
) -> None:
    found = looked(small_cell, acme, findings=[finding(kind)])
    assert {name for name, one in found.items() if one.state == "wrong"} == {step}
    assert found[step].mend == mend


def test_a_finding_says_what_to_do_before_its_command(small_cell: Cell, acme: Tenant) -> None:
    """`up acme` alone would mend nothing: the budget in the file comes first."""
    found = looked(small_cell, acme, findings=[finding("project_spend_limit")])["calls"]
    assert found.answer.endswith("(UTC). Raise budget.monthly_usd in tenants/acme.yaml and deploy it")
    assert found.mend == "myflux-keys up acme"


def test_every_kind_of_a_tenants_trouble_belongs_to_a_step(small_cell: Cell, acme: Tenant) -> None:
    """Else a new kind would be found and not shown. Hand-overs are in the step `consumers`."""
    elsewhere = {"openai_silent", "undeclared", "secret_missing", "secret_deleting", "secret_left"}
    elsewhere |= {name for name, kind in KINDS.items() if kind.family == "handover"}
    for kind in KINDS.keys() - elsewhere:
        found = looked(small_cell, acme, findings=[finding(kind, limit="models", declared="a", actual="b")])
        assert {one.state for one in found.values()} != {"ok"}, kind


SAVED = (NOW - 20 * HOUR).timestamp()


@pytest.mark.parametrize(
    ("seen", "state", "told"),
    [
        (None, "could not be asked", "did not tell whether it has the current key"),
        (HandoverSeen("due", "v2", SAVED, ends=SAVED + 7 * 86_400), "wrong", "ends on 2026-12-05 13:00Z at the latest"),
        (
            HandoverSeen("saved", "v2", SAVED, used_at=SAVED + 7200, is_used=True),
            "wrong",
            "the old key was used last on 2026-11-28",
        ),
        # A reader that cached it, in the hour after the rotation.
        (HandoverSeen("saved", "v2", SAVED, used_at=SAVED + 1800), "could not be asked", "is or may be in use"),
        (HandoverSeen("done", "v2", SAVED, connected_since=0.5), "ok", "connected since 1970-01-01 00:00Z"),
        (HandoverSeen("unknown", "v2"), "ok", "does not show us the use of a customer's own key"),
    ],
)
def test_a_consumer_that_a_person_serves_is_ok_only_if_its_hand_over_was_seen_to_be_done(
    acme: Tenant, seen: HandoverSeen | None, state: str, told: str
) -> None:
    both = acme.model_copy(update={"consumers": acme.consumers.model_copy(update={"cinnox": True})})
    step = verify.consumers(both, {"cinnox": seen} if seen else None)
    assert (step.state, told in step.answer) == (state, True), step.answer
    assert step.mend == ("myflux-keys handover acme --consumer cinnox" if state == "wrong" else "")
    assert "myflux reads its key by itself" in step.answer


def test_a_consumer_that_reads_by_itself_needs_nothing(acme: Tenant) -> None:
    assert verify.consumers(acme, None).state == "ok"


def test_a_kind_that_only_a_later_version_knows_is_a_step_of_its_own(small_cell: Cell, acme: Tenant) -> None:
    one = looked(small_cell, acme, findings=[finding("comet_near")])["other findings"]
    assert (one.state, "comet_near" in one.answer) == ("wrong", True)
    assert "other findings" not in looked(small_cell, acme)


def test_a_change_of_the_file_that_was_not_deployed_is_told(acme: Tenant) -> None:
    """The health function compares OpenAI with the earlier file, and finds nothing wrong."""
    there = Declaration.from_json(declared(acme).to_json())
    assert verify.declaration(acme, "", there).state == "ok"
    assert verify.declaration(acme, "", None).state == "could not be asked"
    changed = replace(there, models=("gpt-5.4",), budget=None)
    step = verify.declaration(acme, "", changed)
    assert (step.state, step.mend) == ("wrong", "myflux-keys up acme")
    assert step.answer.endswith("without: models, budget")


def test_what_was_not_judged_is_not_ok(small_cell: Cell, acme: Tenant) -> None:
    silent = {"list": {"cause": "unanswered", "said": "no answer", "models": []}, "call": None}
    found = looked(small_cell, acme, **silent, unknown=[*ALL, "model_retiring", "model_retired"])
    assert found["calls"].state == found["models"].state == "could not be asked"
    assert found["calls"].answer == "GET /models: no answer"
    nothing = {"key": None, "list": None, "call": None, "limits": None, "month_usd": None}
    states = {name: one.state for name, one in looked(small_cell, acme, **nothing).items()}
    assert [name for name, state in states.items() if state == "ok"] == ["declaration"], "as without a budget and a key"
    assert "Admin API did not tell" in looked(small_cell, acme, **nothing)["limits"].answer
    gone = looked(small_cell, acme, **nothing, secret="deleting")["limits"].answer
    assert "found no key" in gone, "without a secret its project is not known, and nobody was asked"
    assert looked(small_cell, acme, call=None)["calls"].answer == "GET /models: 1 models; no call was made"
    once = looked(small_cell, acme, findings=[finding("rate_limited")])["calls"]
    assert once.state == "could not be asked", "met once it is no trouble, and hides whether there is another"


def test_a_disabled_tenants_key_and_a_customers_limits_are_no_steps(small_cell: Cell, acme: Tenant) -> None:
    disabled = acme.model_copy(update={"enabled": False})
    assert not {"calls", "models", "life of the key"} & looked(small_cell, disabled).keys()
    customers = acme.model_copy(update={"source": "customer", "rotation": None})
    assert not {"limits", "money"} & looked(small_cell, customers).keys()


def test_a_call_that_fails_is_one_step_that_could_not_be_asked() -> None:
    def denied() -> Step:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "DescribeSecret")

    def broken() -> Step:
        raise OperationError("the function did not answer")

    (first,), (second,) = (run_verify.looked("secret", "asked", look) for look in (denied, broken))
    assert (first.state, first.answer) == ("could not be asked", "AWS denied DescribeSecret")
    assert (second.state, second.answer) == ("could not be asked", "the function did not answer")
