"""The emulator as its users meet it: its own process, real HTTP, OpenAI's SDK and the control client."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from local import addresses
from local.openai.control import EmulatorControl
from tests.openai_emulator.federated import AUDIENCE, HOST, TENANT, CountingIssuer, Federation
from tests.openai_emulator.harness import EVERYTHING, ROOT, Server, Tenant


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("openai")
    command = [sys.executable, "-m", "local.openai.server", "--port", "0", "--home", str(home)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        port = json.loads(running.stdout.readline())["port"]
        url = f"http://127.0.0.1:{port}/v1"
        token = (home / "openai-token").read_text(encoding="ascii")
        yield Server(url, home, EmulatorControl(url, token), [])
        running.terminate()
        assert running.wait(timeout=60) in (0, -15), "the server ends on SIGTERM"


@pytest.fixture
def server(process: Server) -> Iterator[Server]:
    """A fresh organization without pacing of admin calls; every client that a test opened is closed."""
    process.control.reset()
    process.control.settings(admin_requests_per_minute=0)
    yield process
    while process.opened:
        process.opened.pop().close()


@pytest.fixture
def make_tenant(server: Server) -> Callable[..., Tenant]:
    admin = server.admin().admin.organization.projects

    def make(name: str = "acme", scopes: list[str] | None = None, expires_in_seconds: int = 86_400) -> Tenant:
        project = admin.create(name=name)
        account = admin.service_accounts.create(project.id, name="runtime", create_service_account_only=True)
        admin.service_accounts.update(account.id, project_id=project.id, role="member")
        key = admin.service_accounts.api_keys.create(
            account.id,
            project_id=project.id,
            name="first",
            scopes=EVERYTHING if scopes is None else scopes,
            expires_in_seconds=expires_in_seconds,
        )
        return Tenant(project.id, account.id, key.id, key.value)

    return make


@pytest.fixture
def tenant(make_tenant: Callable[..., Tenant]) -> Tenant:
    return make_tenant()


@pytest.fixture(scope="session")
def issuing(process: Server) -> Iterator[CountingIssuer]:
    with CountingIssuer.serving(HOST) as issuer:
        assert isinstance(issuer, CountingIssuer)
        addresses.publish(process.home, HOST, issuer.url)
        yield issuer


@pytest.fixture
def federation(server: Server, issuing: CountingIssuer, tenant: Tenant) -> Federation:
    """A provider that trusts the issuer, and no rule yet."""
    issuing.asked.clear()
    admin = server.admin()
    provider = admin.admin.organization.workload_identity_providers.create(
        type="oidc", name="aws", issuer=f"https://{HOST}", audience=AUDIENCE, attribute_transformations=[TENANT]
    )
    return Federation(server, issuing, admin, tenant, provider.id)
