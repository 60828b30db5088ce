"""An AWS of the local cell for all tests, and providers and stacks that end with the test that uses them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from local.environment import SECRETS_PROVIDER
from tests.commands.plugins import plain
from tests.provider.harness import REPOSITORY, AwsServer, Provider, Stack
from tools import engine


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    home, port = tmp_path_factory.mktemp("aws"), free_port()
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "local.aws.server", "--port", str(port), "--home", str(home)],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"], "HOME": str(home)},
            stdout=log,
            stderr=log,
        )
        try:
            _await(f"http://127.0.0.1:{port}/_ministack/health", server, home / "log")
            yield AwsServer(f"http://127.0.0.1:{port}", home)
        finally:
            server.terminate()
            server.wait(60)


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=10).close()
            return
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < give_up, log.read_text()
            time.sleep(0.05)


@pytest.fixture
def launch(aws: AwsServer) -> Iterator[Callable[..., Provider]]:
    """Starts providers, each ended with the test. `environment` goes over the administrator's."""
    started: list[Provider] = []

    def start(*arguments: str, **environment: str) -> Provider:
        started.append(Provider(aws.environment() | environment, *arguments))
        return started[-1]

    yield start
    for provider in started:
        provider.close()


@pytest.fixture(scope="session")
def provider(aws: AwsServer) -> Iterator[Provider]:
    """One for all tests that only call it: a provider keeps nothing between calls."""
    provider = Provider(aws.environment()).configure()
    yield provider
    provider.close()


@pytest.fixture
def stack(aws: AwsServer, tmp_path: Path) -> Stack:
    found = engine.locate(os.environ)
    assert found is not None, "these tests run the real engine: `python -m tools.engine` installs it"
    commands = tmp_path / "bin"
    commands.mkdir()
    plain(commands / "pulumi-resource-aws", "local.provider")
    plain(commands / "pulumi-language-python", "local.language_host")
    state = tmp_path / "state"
    state.mkdir()
    held = aws.environment()
    environment = held | {
        "PATH": os.pathsep.join([str(commands), str(found.pulumi.parent), held["PATH"]]),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_HOME": str(tmp_path / "pulumi-home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: provider-test\nruntime: python\n", encoding="utf-8")
    made = Stack(folder, environment)
    # A key from a passphrase is derived anew by each start of the engine, which takes a third of its time.
    made.run("stack", "init", "--secrets-provider", SECRETS_PROVIDER)
    return made
