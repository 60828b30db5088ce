"""A process made by os.fork() hears its own answers: it leaves its parent's connections, fetches and locks behind.

Each test runs an application (`forked_program`) against servers with real sockets. A connection that two processes
write on is the cause of every wrong answer, so that is looked at too: it is seen without luck.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpcore2
import httpx2
import pytest

from myflux_keys import KeyReader, forks
from myflux_keys.networks import renew
from tests.reader.echo_server import EchoServer, make_certificate
from tests.reader.forked_program import CALLS, CHILDREN, MANY
from tests.reader.openai_stand_in import ASK
from tests.reader.stand_in import GET, StandIn, key_text

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 400
ALL_RIGHT = {"parent": [], "children": [[]] * CHILDREN}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def serve(aws: StandIn, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., EchoServer]]:
    """Both tenants' keys go to the server that is made."""
    with ExitStack() as stack:

        def make(tls: bool = False) -> EchoServer:
            server = stack.enter_context(EchoServer(certificate if tls else None))
            for tenant in ("acme", "globex"):
                aws.put(tenant, key_text(tenant), base_url=server.url)
            if tls:
                monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            return server

        yield make


def start(*parts: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "tests.reader.forked_program", *parts]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(program: subprocess.Popen[str]) -> dict[str, Any]:
    try:
        said, errors = program.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        program.kill()
        said, errors = program.communicate()
    assert (program.returncode, errors) == (0, ""), errors
    return json.loads(said.splitlines()[-1])


def run(*parts: str) -> dict[str, Any]:
    return finish(start(*parts))


def wait_for(happened: Callable[[], bool]) -> bool:
    patience = time.monotonic() + 60
    while not happened() and time.monotonic() < patience:
        time.sleep(0.01)
    return happened()


def shared_connections(server: EchoServer) -> list[set[str]]:
    """The processes of each connection that more than one asked on."""
    askers = [{question.split(",")[0] for question in questions} for questions in server.asked.values()]
    return [processes for processes in askers if len(processes) > 1]


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
def test_every_process_hears_its_own_answers(serve: Callable[..., EchoServer], tls: bool) -> None:
    """And the parent keeps its connections: a child that says goodbye on one (a FIN, TLS's close_notify) ends it. That
    is seen where a test can say how long an idle connection is kept: on shared networks."""
    server = serve(tls)
    parts = ("sync", "sync, shared", "asyncio", "asyncio, shared")
    assert run(*parts) == dict.fromkeys(parts, ALL_RIGHT)
    assert shared_connections(server) == []
    parents = [questions for questions in server.asked.values() if questions[0].startswith("parent of shared")]
    assert [len(questions) for questions in parents] == [2 * CALLS] * 2


def test_however_the_process_was_made(serve: Callable[..., EchoServer]) -> None:
    server = serve()
    parts = ("from a thread", "multiprocessing", "grandchildren")
    assert run(*parts) == dict.fromkeys(parts, ALL_RIGHT)
    assert shared_connections(server) == []


def test_a_network_on_the_applications_own_transport_is_renewed_or_refused(serve: Callable[..., EchoServer]) -> None:
    server = serve()
    said = run("own transport", "hidden transport")
    assert said["own transport"] == ALL_RIGHT
    assert said["hidden transport"]["parent"] == []
    for refused in said["hidden transport"]["children"]:
        assert refused.startswith("KeyReaderError: the http_client was made before this process was forked")
        assert "after the fork" in refused
    assert shared_connections(server) == []


def test_an_answer_that_the_parent_reads_is_not_read_by_a_child(serve: Callable[..., EchoServer]) -> None:
    serve()
    assert run("inherited answer")["inherited answer"] == {"parent": [], "children": ["refused"] * CHILDREN}


def let_go_on(program: subprocess.Popen[str], held: Callable[[], object], release: Callable[[], None]) -> None:
    """The program forks while one of its threads waits for an answer, which comes when the children are there."""
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stdout.readline() == "held?\n"
    assert held()
    program.stdin.write("held\n")
    program.stdin.flush()
    assert program.stdout.readline() == "release\n"
    release()


@pytest.mark.parametrize("part", ["during a call", "during a call, shared"])
def test_a_call_under_way_in_the_parent_is_its_own(serve: Callable[..., EchoServer], part: str) -> None:
    """Also where the network allows one connection, which that call holds."""
    server = serve()
    program = start(part)
    let_go_on(program, lambda: server.held.acquire(timeout=60), server.release.set)
    assert finish(program) == {part: ALL_RIGHT}


def test_a_read_under_way_in_the_parent_holds_up_no_child(aws: StandIn) -> None:
    """Not one of a child's threads may see the parent's fetch: it never ends there."""
    aws.held["acme"] = threading.Event()
    program = start("during a read")
    let_go_on(program, lambda: wait_for(lambda: aws.calls[GET] == 1), aws.held["acme"].set)
    assert finish(program)["during a read"]["children"] == [["acme"] * 8] * MANY


def test_a_refresh_under_way_in_the_parent_holds_up_no_child(aws: StandIn) -> None:
    """Nor does a child take the parent's key for its own: it would never be refreshed there."""
    program = start("during a refresh")
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stdout.readline() == "cached\n"
    aws.held["acme"] = threading.Event()
    program.stdin.write("held\n")
    program.stdin.flush()
    let_go_on(program, lambda: wait_for(lambda: aws.calls[GET] == 2), aws.held["acme"].set)
    assert finish(program)["during a refresh"]["children"] == [["acme"] * 8] * CHILDREN
    assert aws.calls[GET] == 2 + CHILDREN


def test_processes_made_together_do_not_ask_aws_together(aws: StandIn) -> None:
    assert len(set(run("jitter")["jitter"]["children"])) == CHILDREN


def test_a_given_aws_client_is_each_processs_own(aws: StandIn) -> None:
    for tenant in ("parent", *(f"child{number}" for number in range(CHILDREN))):
        aws.put(tenant, key_text(tenant))
    assert run("given AWS client") == {"given AWS client": ALL_RIGHT}
    assert [tenants for tenants in aws.read_on.values() if len(tenants) > 1] == []
    assert len([tenants for tenants in aws.read_on.values() if tenants == {"parent"}]) == 1


def test_a_renewed_network_keeps_every_option_and_loses_every_connection(serve: Callable[..., EchoServer]) -> None:
    server = serve()
    proxy = httpx2.Proxy("http://127.0.0.1:9", auth=("user", "pass"), headers={"X-Proxy": "yes"})
    limits = httpx2.Limits(max_connections=7, max_keepalive_connections=5, keepalive_expiry=3)
    mounts = {"all://elsewhere.example": httpx2.HTTPTransport(proxy=proxy, retries=2)}
    with httpx2.Client(limits=limits, mounts=mounts, http2=True) as client:
        client.post(server.url, json=ASK)
        before = pools(client)
        options = [settings(pool) for pool in before]
        assert [len(pool.connections) for pool in before] == [1, 0]
        assert renew(client)
        after = pools(client)
        assert [settings(pool) for pool in after] == options
        assert [type(pool) for pool in after] == [httpcore2.ConnectionPool, httpcore2.HTTPProxy]
        assert [pool.connections for pool in after] == [[], []]
        client.post(server.url, json=ASK)
    assert len(server.asked) == 2


def pools(client: httpx2.Client) -> list[httpcore2.ConnectionPool]:
    transports: list[Any] = [client._transport, *client._mounts.values()]
    return [transport._pool for transport in transports]


def settings(pool: httpcore2.ConnectionPool) -> dict[str, Any]:
    """Whatever a pool has but its state: an option that a later httpcore2 adds is among them."""
    state = {"_connections", "_requests", "_optional_thread_lock"}
    assert state < vars(pool).keys()
    return {name: value for name, value in vars(pool).items() if name not in state}


def test_nothing_that_starts_anew_after_forks_is_kept_alive_by_it(make_reader: Callable[..., KeyReader]) -> None:
    gc.collect()
    before = len(forks._start_anew)
    reader = KeyReader("cell", region="eu-central-1")
    clients = [make_reader().openai_client("acme") for _ in range(3)]
    assert len(forks._start_anew) > before
    while clients:
        clients.pop().close()
    del reader
    gc.collect()
    assert len(forks._start_anew) == before + 3 * 4, (
        "readers, what they read with, sessions and identities that the fixture holds, no more"
    )


def test_one_that_is_interrupted_starts_anew_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Thing:
        done = 0

    things = [Thing(), Thing()]
    interruptions = [KeyboardInterrupt()]

    def start_anew(thing: Thing) -> None:
        if interruptions:
            raise interruptions.pop()
        thing.done += 1

    monkeypatch.setattr(forks, "_start_anew", weakref.WeakKeyDictionary(dict.fromkeys(things, start_anew)))
    with pytest.raises(KeyboardInterrupt):
        forks._after_fork()
    assert [thing.done for thing in things] == [1, 1]
