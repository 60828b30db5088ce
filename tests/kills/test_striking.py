"""A strike is exact: what its victim asked for at that moment never reaches AWS, and what others ask for does."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.kills.processes import asks, kill, run, there
from tests.program.gate import gate
from tests.program.rig import wait_until


@dataclass
class Upstream:
    port: int
    asked: list[str] = field(default_factory=list[str])


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Upstream(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def port(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_a_request_is_never_asked_if_who_asks_for_it_ends_while_it_is_held(upstream: Upstream) -> None:
    with gate(upstream.port, lambda _target, path: path == "/held", early=True) as between:
        with socket.create_connection(("127.0.0.1", port(between.url))) as asker:
            asker.sendall(b"GET /held HTTP/1.1\r\nHost: aws\r\n\r\n")
            assert between.held.wait(30)
        between.opened.set()
        later = http.client.HTTPConnection("127.0.0.1", port(between.url), timeout=30)
        later.request("GET", "/later")
        assert later.getresponse().status == 200
        later.close()
    assert upstream.asked == ["/later"]


@pytest.mark.parametrize("early", [True, False])
def test_a_request_is_asked_once_if_who_asks_for_it_lives_on(upstream: Upstream, *, early: bool) -> None:
    with gate(upstream.port, lambda _target, path: path == "/held", early=early) as between:
        asker = http.client.HTTPConnection("127.0.0.1", port(between.url), timeout=30)
        asker.request("GET", "/held")
        assert between.held.wait(30)
        assert upstream.asked == ([] if early else ["/held"])
        between.opened.set()
        assert asker.getresponse().status == 200
        asker.close()
    assert upstream.asked == ["/held"]


def test_a_call_of_another_process_is_neither_held_nor_counted(upstream: Upstream) -> None:
    """As the engine's are, where the command's own calls are struck."""
    with gate(
        upstream.port, lambda _target, path: path == "/held", counts=lambda asked: asks(os.getpid(), asked.port)
    ) as between:
        theirs = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1])"
        subprocess.run([sys.executable, "-c", theirs, f"{between.url}/held"], check=True, timeout=60)
        assert not between.held.is_set()
        asker = http.client.HTTPConnection("127.0.0.1", port(between.url), timeout=30)
        asker.request("GET", "/held")
        assert between.held.wait(30)
        between.opened.set()
        assert asker.getresponse().status == 200
        asker.close()
    assert [asked.path for asked in between.asked] == ["/held"]
    assert upstream.asked == ["/held", "/held"]


PARENT = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'input()', 'ops.stacks.processes'], "
    "stdin=subprocess.PIPE); print(child.pid, flush=True); child.wait()"
)


@pytest.fixture
def command() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A command, and the id of its worker."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield running, int(running.stdout.readline())
        kill(running.pid, "all")


def test_only_the_victim_is_killed_and_who_is_left_is_known(command: tuple[subprocess.Popen[str], int]) -> None:
    running, worker = command
    assert there(running.pid) == {"command", "worker", "all"}
    assert not kill(running.pid, "engine").killed
    struck = kill(running.pid, "command")
    assert (struck.killed, struck.left) == ({running.pid}, {worker})
    running.wait()
    assert not run(struck.killed)
    # Its input has ended with the command.
    wait_until(lambda: not run(struck.left), "its worker to end")


def test_a_process_that_nobody_has_waited_for_has_ended_too(command: tuple[subprocess.Popen[str], int]) -> None:
    running, _ = command
    struck = kill(running.pid, "all")
    wait_until(lambda: not run(struck.killed), "both to end")
    assert running.returncode is None
