"""The control endpoints, what they tell and whom, and how the server holds keys."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from starlette.datastructures import QueryParams

from local.openai.call import Call, Emulator, find
from local.openai.control import ControlError, EmulatorControl
from local.openai.minting import mint_admin_key
from local.openai.routes import ALL
from tests.openai_emulator.harness import ROOT, Server, Tenant


def test_every_minted_value_is_known_to_the_ledger(server: Server, tenant: Tenant) -> None:
    admin = server.control.create_admin_key("one more")
    person = server.control.create_user_key(tenant.project_id, "mine")
    minted = {m.value: m for m in server.control.minted()}
    assert minted[tenant.key].kind == "service_account"
    assert minted[tenant.key].service_account_id == tenant.service_account_id
    assert minted[admin].kind == "admin"
    assert minted[person].kind == "user"
    assert person.startswith("sk-" + "proj-")
    server.control.reset()
    assert tenant.key in {m.value for m in server.control.minted()}, "a leak scan still knows keys of before a reset"
    assert tenant.key not in repr(server.control.minted()), "not shown by accident"


def test_only_the_token_opens_the_control_endpoints(server: Server, tenant: Tenant) -> None:
    root = server.url.removesuffix("/v1")
    for path in ("minted", "state", "calls", "faults", "settings"):
        for headers in ({}, {"X-Emulator-Token": "wrong"}, {"Authorization": f"Bearer {tenant.key}"}):
            request = urllib.request.Request(f"{root}/_emulator/{path}", headers=headers)
            with pytest.raises(urllib.error.HTTPError) as refusal:
                urllib.request.urlopen(request, timeout=60)
            with refusal.value as answer:
                assert answer.code == 401
                assert tenant.key.encode() not in answer.read()
    with urllib.request.urlopen(f"{root}/_emulator/health", timeout=60) as answer:
        assert json.load(answer) == {"status": "ok"}, "health needs no token"
    assert EmulatorControl(server.url, "wrong").healthy()
    with pytest.raises(ControlError, match="401"):
        EmulatorControl(server.url, "wrong").minted()


def test_the_token_file_is_for_its_owner_only(server: Server) -> None:
    assert (server.home / "openai-token").stat().st_mode & 0o777 == 0o600


def test_keys_are_hashed_at_rest() -> None:
    emulator = Emulator()
    call = Call(emulator, "POST", "/", {}, QueryParams(), b"", {}, time.time())
    key, value = mint_admin_key(call, "a", [], None)
    call.headers = {"authorization": f"Bearer {value}"}
    for path, body in (
        ("/v1/organization/projects", {"name": "p"}),
        ("/v1/organization/projects/{p}/service_accounts", {"name": "s"}),
    ):
        call.path = path.replace("{p}", next(iter(emulator.organization.projects), ""))
        call.raw = json.dumps(body).encode()
        route, call.parameters = find(ALL, "POST", call.path)
        content = route.run(call).content
    values = [value, content["api_key"]["value"]]
    kept = pickle.dumps(emulator.organization)
    assert key.digest.encode() in kept, "the scan looks at the right thing"
    for secret in values:
        assert secret.encode() not in kept, "the store holds a digest, never the key"
    assert [m.value for m in emulator.ledger.entries] == values, "the ledger alone knows"


def test_the_log_of_calls_holds_no_key_and_no_query(server: Server, tenant: Tenant) -> None:
    server.control.clear_calls()
    began = time.time()
    server.client(tenant.key).responses.create(model="gpt-5-mini", input="a secret question")
    server.admin().admin.organization.projects.list(limit=5)
    calls = server.control.calls(since=began)
    assert [(c.method, c.path, c.status) for c in calls] == [
        ("POST", "/v1/responses", 200),
        ("GET", "/v1/organization/projects", 200),
    ]
    assert calls[1].endpoint == "GET /v1/organization/projects"
    assert "secret" not in str(calls)
    assert "sk-" not in str(calls)
    assert server.control.calls(since=time.time() + 1) == []


def test_settings_are_checked_before_any_is_changed(server: Server) -> None:
    for bad in ({"colour": 1}, {"max_projects": 0}, {"forbid_new_keys": 1}, {"organization_id": "acme"}):
        with pytest.raises(ControlError, match="400"):
            server.control.settings(max_key_lifetime_seconds=5, **bad)
    assert server.control.settings()["max_key_lifetime_seconds"] is None


def test_the_server_writes_its_port_first_and_nothing_about_requests(server: Server, tenant: Tenant) -> None:
    home = server.home / "second"
    command = [sys.executable, "-m", "local.openai.server", "--port", "0", "--home", str(home)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        port = json.loads(running.stdout.readline())["port"]
        control = EmulatorControl(f"http://127.0.0.1:{port}", (home / "openai-token").read_text(encoding="ascii"))
        assert control.healthy()
        key = control.create_admin_key()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/organization/projects", headers={"Authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200
        running.terminate()
        output, errors = running.communicate(timeout=60)
    assert (output, errors) == ("", ""), "no log line, so no header in a log"


def test_an_answer_does_not_wait_for_nagle(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    fastest = min(_seconds(lambda: client.models.retrieve("gpt-5-mini")) for _ in range(100))
    assert fastest < 0.035, "with Nagle's delay every answer takes 40 ms, however idle the machine"


def _seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def test_the_state_of_one_project_and_the_clock_can_be_asked_for_alone(server: Server, tenant: Tenant) -> None:
    control, project = server.control, tenant.project_id
    server.admin().admin.organization.projects.create(name="globex")
    everything = control.state()
    (one,) = [entry for entry in everything["projects"] if entry["id"] == project]
    assert len(everything["projects"]) > 1
    assert control.state(project_id=project)["projects"] == [one]
    assert control.state(project_id="proj_of_nobody")["projects"] == []
    assert {key.project_id for key in control.live_keys(project)} == {project}
    assert everything["now"] <= control.now() <= control.state()["now"]


def test_many_threads_at_once_lose_nothing(server: Server, tenant: Tenant) -> None:
    """64 threads mint and call at the same time; ids stay unique and every call is booked once."""
    create = server.admin().admin.organization.projects.service_accounts.api_keys.create
    client = server.client(tenant.key)
    problems: list[Exception] = []

    def work() -> None:
        try:
            create(tenant.service_account_id, project_id=tenant.project_id)
            client.responses.create(model="gpt-5-mini", input="x")
        except Exception as problem:  # noqa: BLE001 - reported below, by the thread that can fail the test
            problems.append(problem)

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    keys = server.control.live_keys(tenant.project_id)
    assert len({k.id for k in keys}) == 65
    assert len({m.value for m in server.control.minted()}) == len(server.control.minted())
    since = int(server.control.state()["now"]) - 86_400
    page = server.admin().admin.organization.usage.completions(start_time=since)
    assert sum(r.num_model_requests for b in page.data for r in b.results) == 64  # pyright: ignore[reportAttributeAccessIssue]
