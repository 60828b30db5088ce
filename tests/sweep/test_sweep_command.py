"""`myflux-keys sweep`: the table, the exit code, and what a person is told when something stands in the way."""

# ruff: noqa: N803 - the parameters have boto3's names

from __future__ import annotations

import io
import json
import shutil
import subprocess
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

import tenancy
from functions.sweep.request import CONTRACT, ContractRequest, RequestError, read_request
from ops.actions import functions_client
from ops.actions.sweep import Swept, sweep
from ops.cli.sweep import nothing
from ops.errors import OperationError
from tests.commands import client
from tests.sweep.conftest import Bench
from tests.tenancy.files import Files

ROOT = Path(__file__).resolve().parents[2]
CELL = tenancy.load(ROOT).cells["local"]
KEY = "sk-" + "svcacct-" + "k" * 40


class Function:
    """Lambda's client, with the answers that a test gives it, in order."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.events: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.events.append(json.loads(Payload))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        failed = {"FunctionError": "Unhandled"} if isinstance(answer, dict) and "errorMessage" in answer else {}
        return {"Payload": io.BytesIO(body), **failed}


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Invoke")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refused("ResourceNotFoundException"), "pulumi up --refresh --stack local"),
        (refused("AccessDeniedException"), "only the cell's deployers"),
        (refused("TooManyRequestsException"), "try again in a minute"),
        (refused("ServiceException"), "ServiceException"),
        (ReadTimeoutError(endpoint_url="x"), "may still be running"),
        ({"errorMessage": "no secret of nobody", "errorType": "SweepFailed"}, "failed: no secret of nobody"),
        (b"[1]", "not a JSON object"),
        (b"", "not a JSON object"),
    ],
)
def test_what_stands_in_the_way_of_a_call_is_said_with_the_way_out(answer: Any, says: str) -> None:
    with pytest.raises(OperationError, match=says):
        functions_client.call(CELL, CELL.names.sweep_function, {}, Function(answer))  # type: ignore[arg-type]


def test_a_functions_own_words_are_redacted() -> None:
    with pytest.raises(OperationError) as caught:
        functions_client.call(CELL, "f", {}, Function({"errorMessage": f"bad {KEY}"}))  # type: ignore[arg-type]
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        {
            "errorMessage": "RequestError: action is 'contract': it is sweep, revoke or inspect",
            "errorType": "SweepFailed",
        },
        {"contract": CONTRACT - 1},
        {},
    ],
)
def test_a_function_of_an_earlier_version_is_known_before_anything_is_changed(answer: Any) -> None:
    with pytest.raises(OperationError, match=r"Nothing was changed\. Deploy the platform .* disable") as caught:
        functions_client.refuse_other_version(CELL, Function(answer), "Meanwhile: disable.")  # type: ignore[arg-type]
    assert "earlier version" in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"contract": CONTRACT},
        {"contract": CONTRACT + 1},
        refused("ResourceNotFoundException"),
        refused("ServiceException"),
        {"errorMessage": "Task timed out", "errorType": "Sandbox.Timedout"},
    ],
)
def test_a_function_that_does_not_answer_does_not_keep_reads_from_being_denied(answer: Any) -> None:
    functions_client.refuse_other_version(CELL, Function(answer))  # type: ignore[arg-type]


def test_a_request_that_a_function_does_not_know_names_the_platform() -> None:
    """What the version before the first release answers to a request of today's `sweep`."""
    answer = {"errorMessage": "RequestError: action is 'orphans': it is sweep, revoke or inspect"}
    with pytest.raises(OperationError, match=r"another version .* Deploy the platform from this checkout"):
        functions_client.call(CELL, "f", {}, Function(answer))  # type: ignore[arg-type]


def test_the_function_tells_its_contract_and_is_asked_for_nothing_else_with_it() -> None:
    assert isinstance(read_request({"action": "contract"}), ContractRequest)
    with pytest.raises(RequestError, match="contract has no field"):
        read_request({"action": "contract", "tenant": "acme"})


def told(*plan: dict[str, Any], done: bool = True, next: str | None = None, tenants: int = 1) -> dict[str, Any]:
    return {
        "plan": list(plan),
        "rotation_overdue": {},
        "failed": {},
        "trust": [],
        "governance": None,
        "admin_key_days_left": None,
        "customers_admin_key_days_left": {},
        "tenants": tenants,
        "calls": 2,
        "done": done,
        "next": next,
    }


def run(function: Function, **options: Any) -> tuple[Swept, list[float]]:
    slept: list[float] = []
    account: Any = SimpleNamespace(cell=CELL, functions=function)
    swept = sweep(account, None, dry_run=False, progress=lambda _: None, sleep=slept.append, **options)
    return swept, slept


def test_a_sweep_goes_on_where_the_function_stopped() -> None:
    one, two = {"key_id": "a", "found": "kept"}, {"key_id": "b", "found": "kept"}
    function = Function(told(one, done=False, next="acme"), told(two))
    swept, slept = run(function, governance=True)
    assert [entry["key_id"] for entry in swept.plan] == ["a", "b"]
    assert (swept.tenants, swept.calls, swept.done) == (2, 4, True)
    assert [event.get("next") for event in function.events] == [None, "acme"]
    assert [event["governance"] for event in function.events] == [True, False], "OpenAI is asked for a key once"
    assert slept == []


def test_a_busy_openai_is_waited_for_and_in_the_end_said() -> None:
    swept, slept = run(Function(*[told(done=False, tenants=0)] * 3, told()))
    assert swept.done
    assert len(slept) == 3
    swept, _ = run(Function(*[told(done=False, tenants=0)] * 40))
    assert not swept.done, "not for ever"


def test_no_keys_is_said_of_those_that_were_looked_at() -> None:
    assert nothing([Swept("local", done=True)]) == "No keys."
    for partly in (Swept("local", failed={"acme": "503"}, done=True), Swept("local", done=False)):
        assert nothing([partly]) == "No keys of the tenants that could be checked."


def test_what_a_person_must_see_to_is_said_and_what_is_done_is_not() -> None:
    def entry(found: str, outcome: str | None = None) -> dict[str, Any]:
        return {"tenant": "acme", "key_id": f"key_{found}", "found": found, "reason": "why", "outcome": outcome}

    plan = [entry(found) for found in ("kept", "foreign", "alive", "missing", "in_use")]
    plan += [entry("orphan", "deleted"), entry("overdue", "not done: 500")]
    swept = Swept(
        "local",
        plan=plan,
        rotation_overdue={"globex": "rotation is off"},
        failed={"fjord": "refused"},
        governance="no new keys",
        admin_key_days_left=3.0,
    )
    said = " ".join(swept.for_a_person)
    for word in ("key_foreign", "key_alive", "key_missing", "key_in_use", "not done: 500", "globex: rotation is off"):
        assert word in said
    for word in ("fjord", "no new keys", "expires in 3 days"):
        assert word in said
    assert "key_kept" not in said
    assert "key_orphan" not in said, "the sweep has seen to it"


@pytest.mark.cell
def test_the_command_prints_the_plan_and_exits_with_1_for_a_foreign_key_alone(bench: Bench, tmp_path: Path) -> None:
    files = Files(tmp_path / "fleet")
    shutil.copytree(ROOT / "cells", files.root / "cells", dirs_exist_ok=True)
    tenant = bench.tenant()
    files.tenant(tenant.slug, tenant=tenant.slug)
    orphan = tenant.mint()
    bench.cell.advance(7200)

    def command(*options: str) -> subprocess.CompletedProcess[str]:
        environment = bench.cell.environment("deployer") | {"MYFLUX_FLEET": str(files.root)}
        # These tenants were made without stacks.
        environment.pop("PULUMI_BACKEND_URL", None)
        return client.run(["sweep", "--cell", "local", *options], environment)

    planned = command("--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "Stacks were not checked" in planned.stderr, "what was not compared is said"
    assert planned.stdout.splitlines()[0].split()[:4] == ["TENANT", "KEY", "FOUND", "ACTION"]
    (line,) = [line for line in planned.stdout.splitlines() if orphan in line]
    assert "orphan" in line
    assert "revoke" in line
    assert orphan in tenant.live(), "a dry run changes nothing"

    bench.control.create_user_key(tenant.ids["project_id"], "tried by hand")
    done = command("--json")
    assert done.returncode == 1, "a foreign key needs a person"
    assert "was not made by MyFlux" in done.stderr
    assert "docs/runbook.md" in done.stderr
    said = json.loads(done.stdout)
    assert orphan not in tenant.live()
    assert {entry["found"] for entry in said["cells"][0]["plan"]} == {"kept", "orphan", "foreign"}
    for key in bench.control.minted():
        assert key.value not in done.stdout + done.stderr + planned.stdout

    deleted = bench.client("administrator", "secretsmanager").delete_secret(SecretId=tenant.arn, RecoveryWindowInDays=7)
    for asked in ((), (tenant.slug,)):
        amiss = command(*asked, "--json")
        assert amiss.returncode == 1
        (found,) = json.loads(amiss.stdout)["cells"][0]["orphans"]
        assert (found["tenant"], found["kind"]) == (tenant.slug, "SecretDeleted")
        assert f"AWS deletes it after {deleted['DeletionDate'].astimezone(UTC):%Y-%m-%d}" in amiss.stderr
        assert f"myflux-keys adopt {tenant.slug}" in amiss.stderr
    assert command("nobody").returncode == 1, "a tenant that no file names"
    assert command("--dry-run", "--governance").returncode == 2, "one makes a key, the other changes nothing"
