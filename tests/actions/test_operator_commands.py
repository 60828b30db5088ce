"""The commands as an operator types them, on a cell that the real engine deployed."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from myflux_keys import AccessDeniedError
from myflux_keys.cell_functions import HEALTH
from tests.actions.conftest import Operated

pytestmark = [pytest.mark.engine, pytest.mark.cell]

MINT = r"service_accounts/[^/]+/api_keys$"
MODEL = "gpt-5.4-mini"


@pytest.fixture(autouse=True)
def no_faults(operated: Operated, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Readers in this process find the cell by AWS's own variable, as an application does."""
    for name in ("AWS_ENDPOINT_URL", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, operated.environment[name])
    operated.cell.openai.clear_faults()
    yield
    operated.cell.openai.clear_faults()
    operated.settled("acme", "fjord")


def done(told: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def current(operated: Operated, tenant: str) -> str:
    stages = operated.describe(tenant)["VersionIdsToStages"]
    return next(version for version, labels in stages.items() if "AWSCURRENT" in labels)


def accepted(operated: Operated, key: str) -> bool:
    with openai.OpenAI(api_key=key, base_url=operated.cell.openai_url, max_retries=0) as client:
        try:
            client.responses.create(model=MODEL, input="Are you there?")
        except openai.AuthenticationError:
            return False
    return True


def until(running: subprocess.Popen[str], operated: Operated, tenant: str, label: str) -> None:
    """Waits until a version of `tenant` carries `label` alone, while the command runs."""
    give_up = time.monotonic() + 60
    while not any(labels == [label] for labels in operated.describe(tenant)["VersionIdsToStages"].values()):
        assert running.poll() is None, f"the command ended too early: {running.communicate()}"
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_all_keys_are_rotated_and_history_tells_who_asked_and_why(operated: Operated) -> None:
    before = {tenant: current(operated, tenant) for tenant in ("acme", "fjord")}
    told = operated.command("rotate", "--all", "--wait", "--yes", "--reason", "quarterly, asked by Zoë", "--json")
    found = done(told)
    assert {slug: entry["outcome"] for slug, entry in found["cells"]["local"]["tenants"].items()} == {
        "acme": "succeeded",
        "fjord": "succeeded",
    }
    assert "customer's own" in found["left_out"]["initech"]
    assert "2 of 2 tenants to rotate: takes about 20 s. Limit: OpenAI's Admin API" in told.stderr, (
        "the time to finish is said first"
    )
    for tenant, old in before.items():
        assert current(operated, tenant) == found["cells"]["local"]["tenants"][tenant]["version_id"] != old
    told_of = done(operated.command("history", "acme", "--json"))["versions"]
    first, last = told_of[0], told_of[-1]
    assert (last["state"], last["by"], last["reason"]) == ("current", "rotate", "quarterly, asked by Zoë")
    assert last["who"].endswith(":user/deployer")
    assert last["promoted_at"] >= last["minted_at"]
    assert first["state"] == "previous"
    assert first["ends_at"] < last["ends_at"], "the old key ends with its overlap"
    assert list((operated.state).rglob("finished/*rotate*.json")), "this machine keeps what it did"


def test_ctrl_c_stops_the_command_and_the_same_one_goes_on_without_a_second_key(operated: Operated) -> None:
    control = operated.cell.openai
    before = len(control.minted())
    control.fault("slow", method="POST", path=MINT, count=2, seconds=9)
    with operated.popen("rotate", "acme", "fjord", "--wait", "--yes", "--reason", "first") as running:
        until(running, operated, "acme", "AWSPENDING")
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=120)
    assert running.returncode not in (0, 2), "a script must see that it did not finish"
    assert "Run the same command again" in err
    assert "Traceback" not in err
    told = operated.command("rotate", "fjord", "acme", "--wait", "--yes", "--json")
    run = done(told)["cells"]["local"]
    assert {entry["outcome"] for entry in run["tenants"].values()} == {"succeeded"}
    assert run["reason"] == "first", "a run that continues keeps its reason"
    assert "It continues now" in told.stderr
    assert len(control.minted()) == before + 2, "one new key a tenant, however often the command ran"


def test_a_rotation_that_fails_is_told_with_the_way_out_and_works_the_next_time(operated: Operated) -> None:
    live = current(operated, "acme")
    operated.cell.openai.fault("500", method="POST", path=MINT, count=None)
    told = operated.command("rotate", "acme", "--wait", "--yes")
    assert told.returncode == 1
    assert "acme: RotationFailed" in told.stderr
    assert "/aws/lambda/myflux-local-rotation" in told.stderr
    assert current(operated, "acme") == live, "the key from before is live"
    operated.cell.openai.clear_faults()
    assert operated.command("rotate", "acme", "--wait", "--yes").returncode == 0
    assert current(operated, "acme") != live


def at_rest(operated: Operated, tenant: str, project: str) -> tuple[object, ...]:
    """All that a revocation changes: the secret's versions and policy, OpenAI's keys, this machine's records."""
    client = operated.cell.client("deployer", "secretsmanager")
    try:
        policy = client.get_resource_policy(SecretId=operated.names.tenant(tenant).secret)["ResourcePolicy"]
    finally:
        client.close()
    records = {path: path.read_bytes() for path in operated.state.rglob(f"*revoke-{tenant}*")}
    keys = [key.id for key in operated.cell.openai.live_keys(project)]
    return operated.describe(tenant)["VersionIdsToStages"], policy, records, keys


def test_a_leaked_key_dies_at_once_and_readers_are_refused_until_the_new_one_is_there(operated: Operated) -> None:
    control = operated.cell.openai
    reader = operated.reader()
    leaked = reader.get("acme")
    assert accepted(operated, leaked.reveal())
    asked = operated.command("revoke", "acme")
    assert asked.returncode == 2, "where nobody can answer, silence is not consent"
    assert accepted(operated, leaked.reveal()), "nothing was changed"
    before = at_rest(operated, "acme", leaked.project_id)
    looked = done(operated.command("revoke", "acme", "--dry-run", "--json"))
    assert at_rest(operated, "acme", leaked.project_id) == before
    assert (looked["dry_run"], looked["valid"]["current"], looked["continues"]) == (True, leaked.key_id, None)
    control.fault("country_refused", path="/organization/", count=None)
    unseen = operated.command("revoke", "acme", "--dry-run")
    control.clear_faults()
    assert (unseen.returncode, unseen.stdout) == (1, ""), "no plan without a look"
    assert "Without --dry-run, reads would be denied first, and then the same would stop the run" in unseen.stderr
    assert at_rest(operated, "acme", leaked.project_id) == before
    named = {one.strip() for one in looked["plan"][1].partition(":")[2].split(",")}
    assert named == {key.id for key in control.live_keys(leaked.project_id)}, "each key that would be revoked is named"

    control.fault("slow", method="POST", path=MINT, count=1, seconds=4)
    with operated.popen("revoke", "acme", "--yes", "--reason", "pasted into a chat") as running:
        until(running, operated, "acme", "AWSPENDING")
        assert not accepted(operated, leaked.reveal()), "a leaked key dies before anything else is waited for"
        with pytest.raises(AccessDeniedError):
            reader.get("acme", fresh=True)
        os.kill(running.pid, signal.SIGKILL)
        running.communicate(timeout=120)
    operated.settled("acme")
    before = at_rest(operated, "acme", leaked.project_id)
    with next(operated.state.rglob("revoke-acme.lock")).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "only one may run at a time" in operated.command("revoke", "acme", "--dry-run").stderr
    looked = done(operated.command("revoke", "acme", "--dry-run", "--json"))
    assert at_rest(operated, "acme", leaked.project_id) == before
    assert (looked["continues"]["done"], looked["continues"]["next"]) == (["deny", "kill"], "mint")
    told = operated.command("revoke", "acme", "--dry-run").stdout
    assert "Would continue the run that" in told
    assert "from step `mint`:\n1. leave reads of its secret denied" in told
    with pytest.raises(AccessDeniedError):
        reader.get("acme", fresh=True)
    told = operated.command("revoke", "acme", "--yes", "--json")
    found = done(told)
    assert "Continuing the run" in told.stderr
    assert (found["readable"], found["reason"]) == (True, "pasted into a chat")
    new = operated.reader().get("acme")
    assert new.key_id != leaked.key_id
    assert accepted(operated, new.reveal())
    project = new.project_id
    assert [key.id for key in control.live_keys(project)] == [new.key_id], "every other key of the tenant is dead"
    assert "unchanged" in operated.pulumi("up", "--yes", "--stack", "acme.local"), "no drift is left behind"
    lives = done(operated.command("history", "acme", "--json"))["versions"]
    assert (lives[-1]["by"], lives[-1]["reason"]) == ("revoke", "pasted into a chat")
    assert lives[-2]["ends_at"] <= lives[-1]["minted_at"], "the keys before it ended with the revocation"


def test_a_customers_key_is_not_ours_to_revoke_or_rotate(operated: Operated) -> None:
    for command in (("revoke",), ("revoke", "--dry-run"), ("rotate",)):
        told = operated.command(*command, "initech")
        assert told.returncode == 1
        assert "customer's own" in told.stderr
        assert "Traceback" not in told.stderr


def standing(operated: Operated) -> dict[str, Any]:
    """What `status` tells; it exits with 1, since initech was never deployed."""
    told = operated.command("status", "--json")
    assert told.returncode == 1, told.stderr
    return json.loads(told.stdout)


def test_disable_shuts_readers_out_and_enable_lets_them_in_with_file_and_state_agreeing(operated: Operated) -> None:
    file: Path = operated.fleet / "tenants" / "acme.yaml"
    written = file.read_text(encoding="utf-8")
    planned = done(operated.command("disable", "acme", "--dry-run", "--json"))
    assert (planned["file_changes"], planned["policy_changes"]) == (True, True)
    assert file.read_text(encoding="utf-8") == written, "a dry run changes nothing"
    operated.reader().get("acme")

    found = done(operated.command("disable", "acme", "--json"))
    assert found["stack_changes"] == 2, "the policy and the declaration, and nothing else, in the stack's state"
    assert file.read_text(encoding="utf-8") == written.replace("enabled: true", "enabled: false")
    with pytest.raises(AccessDeniedError):
        operated.reader().get("acme")
    operated.reader().get("fjord")
    again = done(operated.command("disable", "acme", "--json"))
    assert (again["file_changes"], again["policy_changes"], again["stack_changes"]) == (False, False, 0)
    lines = standing(operated)["cells"]["local"]
    acme = next(line for line in lines if line["tenant"] == "acme")
    assert (acme["enabled"], acme["readable"], acme["state"]) == (False, False, "disabled")
    assert operated.command("rotate", "acme", "--wait", "--yes").returncode == 0, (
        "a disabled tenant's key goes on rotating"
    )

    assert done(operated.command("enable", "acme", "--json"))["stack_changes"] == 2
    assert file.read_text(encoding="utf-8") == written
    operated.reader().get("acme")


def test_status_and_capacity_tell_how_the_cell_stands(operated: Operated) -> None:
    shown = operated.command("status", "--cell", "local")
    assert shown.returncode == 1, "initech has a file and no stack"
    assert "  Type:  myflux-keys up initech\n" in shown.stdout
    (orphan,) = standing(operated)["orphans"]["local"]
    assert (orphan["tenant"], orphan["kind"]) == ("initech", "StackMissing")
    rows = {line.split()[0]: line for line in shown.stdout.split("\n\n")[-3].splitlines()[1:]}
    assert set(rows) == {"acme", "fjord", "initech"}
    assert "not deployed" in rows["initech"]
    found = done(operated.command("capacity", "--json"))["cells"]["local"]
    limits = {limit["what"]: limit for limit in found["limits"]}
    assert (limits["OpenAI projects"]["used"], limits["OpenAI projects"]["left"]) == (2, 1998)
    assert limits["secrets"]["used"] == 3
    assert found["growth"]["source"] == "CreatedDate of the tenants' secrets"
    assert found["slots"]["peak"] <= found["slots"]["budget"]


def test_status_tells_what_the_health_function_found_and_the_command_that_mends_it(operated: Operated) -> None:
    look(operated)
    well = operated.command("status", "acme", "fjord", "--json")
    fjord, acme = told_of(well)
    assert (well.returncode, acme["severity"]) == (1, "ok"), well.stdout
    assert [one["kind"] for one in fjord["troubles"]] == ["handover_due"], "nobody pasted its key into CINNOX"
    assert acme["key"]["minted"] <= acme["key"]["promoted"] < acme["key"]["next_rotation"] < acme["key"]["expires"]
    assert acme["spend"]["budget_usd"] == 200
    for key in operated.cell.openai.minted():
        assert key.value not in well.stdout + well.stderr

    project = operated.reader().get("acme").project_id
    admin = operated.cell.openai.create_admin_key("somebody's", expires_in_seconds=3600)
    with openai.OpenAI(admin_api_key=admin, base_url=operated.cell.openai_url, max_retries=0) as client:
        for key in operated.cell.openai.live_keys(project):
            client.admin.organization.projects.api_keys.delete(key.id, project_id=project)
    look(operated)
    shown = operated.command("status")
    assert shown.returncode == 1
    first = shown.stdout.split("\n\n")[1].splitlines()
    assert first[0].startswith("BROKEN  acme (cell local), since 20")
    assert first[1:4] == [
        "  OpenAI refuses the key, so every call fails.",
        "  To do: make a new key.",
        "  Type:  myflux-keys rotate acme --wait",
    ]
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert operated.command(*first[3].split()[2:], "--yes").returncode == 0
    stale = told_of(operated.command("status", "acme", "--json"))[0]
    assert stale["severity"] == "unknown", "the finding was about the key before"
    look(operated)
    assert operated.command("status", "acme").returncode == 0


def test_status_writes_the_same_facts_as_one_page_without_a_key(operated: Operated, tmp_path: Path) -> None:
    file = tmp_path / "status.html"
    told = operated.command("status", "--html", str(file), "--json")
    assert f"{file}: written" in told.stderr
    text = file.read_text(encoding="utf-8")
    shown = json.loads(text.partition('id="facts">')[2].partition("</script>")[0])
    pairs = [(one["slug"], one["severity"], one["state"]) for one in shown["tenants"]]
    assert pairs == [(one["slug"], one["severity"], one["state"]) for one in told_of(told)]
    assert len(pairs) == 3
    for key in operated.cell.openai.minted():
        assert key.value not in text


def told_of(told: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return json.loads(told.stdout)["fleet"]["cells"][0]["tenants"]


def look(operated: Operated) -> None:
    """The health function's schedule is off in tests."""
    client = operated.cell.client("administrator", "lambda")
    try:
        answer = client.invoke(FunctionName=operated.names.function(HEALTH), Payload="{}")
        assert "FunctionError" not in answer, answer["Payload"].read()
    finally:
        client.close()


def test_an_overdue_rotation_is_told_by_the_cells_own_clock(operated: Operated) -> None:
    """Last of the tests that count on today: the cell's clock only goes forward."""
    client = operated.cell.client("deployer", "secretsmanager")
    operated.cell.openai.fault("500", method="POST", path=MINT, count=None)
    try:
        operated.cell.advance(17 * 86_400)
        give_up = time.monotonic() + 60
        while True:
            lines = standing(operated)["cells"]["local"]
            acme = next(line for line in lines if line["tenant"] == "acme")
            if acme["state"] == "overdue":
                break
            assert time.monotonic() < give_up, lines
            time.sleep(0.5)
        assert acme["key_age_seconds"] > 16 * 86_400, "ages are by AWS's clock, not by this machine's"
    finally:
        client.close()
        operated.cell.openai.clear_faults()
    assert operated.command("rotate", "acme", "fjord", "--wait", "--yes").returncode == 0


def test_another_accounts_cell_is_refused_before_anything_is_changed(operated: Operated, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(operated.fleet, tmp_path / "fleet")
    cell = tmp_path / "fleet" / "cells" / "local.yaml"
    text = (
        cell.read_text(encoding="utf-8").replace("000000000000", "123456789012").replace("local: true", "local: false")
    )
    cell.write_text(text, encoding="utf-8")
    for command in (["rotate", "--all"], ["revoke", "acme", "--yes"], ["disable", "acme"], ["status"], ["capacity"]):
        told = operated.command(*command, "--fleet", str(tmp_path / "fleet"))
        assert told.returncode == 1
        assert "these credentials belong to account 000000000000" in told.stderr, told.stderr


def test_no_command_ever_said_or_kept_a_key(operated: Operated) -> None:
    kept = [path.read_text(encoding="utf-8") for path in operated.state.rglob("*") if path.is_file()]
    assert kept, "there are records to look through"
    minted = operated.cell.openai.minted()
    assert len(minted) > 4
    for key in minted:
        assert not any(key.value in text for text in kept), f"key {key.id} is on disk"
