"""An application that forks as servers do: it uses a client, forks, and all of its processes go on at once.

Owns the processes: they start together, each says what it got, and one that hangs is ended and named. Tests run parts
of it as a program of its own (`python -m tests.reader.forked_program PART...`): what the test process has in threads
must not decide the outcome. It prints JSON: of each part, what was wrong in the parent and in each child.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from typing import Any

import boto3
import httpx2
import openai

from myflux_keys import KeyReader

CHILDREN, CALLS, MANY = 4, 12, 40
PATIENCE = 120
"""Seconds after which a child hangs: far beyond what its calls take on a busy machine."""
HUNG = "hung"
ONE = httpx2.Limits(max_connections=1, keepalive_expiry=3600)
CLOSING = ExitStack()
"""What the parent closes at its end."""

Work = Callable[[int], Any]


def fork_children(work: Work, children: int = CHILDREN, before_all: Callable[[], None] = lambda: None) -> list[Any]:
    """What `work` returns in each child. They begin at the same moment, when all have been forked and `before_all`
    has run in the parent."""
    gate, opened = os.pipe()
    pipes: list[tuple[int, int]] = []
    for number in range(children):
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            # Python 3.12 warns of what is shown here: threads at the moment of a fork.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(PATIENCE)
            os.close(opened)
            os.read(gate, 1)
            try:
                said = work(number)
            except BaseException as error:  # noqa: BLE001 - the test looks at it
                said = f"{type(error).__name__}: {error}"
            os.write(writing, json.dumps(said).encode())
            os._exit(0)
        os.close(writing)
        pipes.append((child, reading))
    os.close(opened)
    before_all()
    return [_said(child, reading) for child, reading in pipes]


def _said(child: int, reading: int) -> Any:
    parts: list[bytes] = []
    while part := os.read(reading, 65536):
        parts.append(part)
    os.close(reading)
    os.waitpid(child, 0)
    return json.loads(b"".join(parts) or json.dumps(HUNG))


def question(text: str) -> dict[str, Any]:
    return {"model": "gpt-5-mini", "messages": [{"role": "user", "content": text}]}


def ask(client: openai.OpenAI, text: str) -> str:
    return client.chat.completions.create(**question(text)).choices[0].message.content or ""


async def aask(client: openai.AsyncOpenAI, text: str) -> str:
    return (await client.chat.completions.create(**question(text))).choices[0].message.content or ""


def ask_often(clients: list[openai.OpenAI], who: str) -> list[str]:
    """Answers that are not for `who`."""
    questions = [f"{who}, call {number}" for number in range(CALLS)]
    answers = [ask(clients[number % len(clients)], text) for number, text in enumerate(questions)]
    return [answer for answer, text in zip(answers, questions, strict=True) if answer != text]


async def aask_often(clients: list[openai.AsyncOpenAI], who: str) -> list[str]:
    questions = [f"{who}, call {number}" for number in range(CALLS)]
    answers = [await aask(clients[number % len(clients)], text) for number, text in enumerate(questions)]
    return [answer for answer, text in zip(answers, questions, strict=True) if answer != text]


def make_reader(**options: Any) -> KeyReader:
    return CLOSING.enter_context(KeyReader("cell", region="eu-central-1", **options))


def sync_clients(reader: KeyReader, shared: bool) -> list[openai.OpenAI]:
    if not shared:
        return [CLOSING.enter_context(reader.openai_client("acme"))]
    network = CLOSING.enter_context(openai.DefaultHttpxClient(limits=ONE))
    return [CLOSING.enter_context(reader.openai_client(tenant, http_client=network)) for tenant in ("acme", "globex")]


@asynccontextmanager
async def async_clients(reader: KeyReader, shared: bool) -> AsyncGenerator[list[openai.AsyncOpenAI]]:
    if not shared:
        async with await reader.async_openai_client("acme") as client:
            yield [client]
        return
    async with openai.DefaultAsyncHttpxClient(limits=ONE) as network:
        yield [await reader.async_openai_client(tenant, http_client=network) for tenant in ("acme", "globex")]


def sync(shared: bool) -> dict[str, Any]:
    """One call in the parent, then children that call at once, then the parent again on the connection that it had."""
    clients = sync_clients(make_reader(), shared)
    parent = "parent of shared" if shared else "parent"
    before = ask_often(clients, parent)
    wrong = fork_children(lambda number: ask_often(clients, f"child {number}"))
    return {"parent": before + ask_often(clients, parent), "children": wrong}


def asynchronous(shared: bool) -> dict[str, Any]:
    """The fork is in a running event loop; each child starts a loop of its own, the parent goes on with its own."""

    async def parent() -> dict[str, Any]:
        async with async_clients(make_reader(), shared) as clients:
            name = "parent of shared" if shared else "parent"
            before = await aask_often(clients, name)
            wrong = fork_children(lambda number: asyncio.run(aask_often(clients, f"child {number}")))
            return {"parent": before + await aask_often(clients, name), "children": wrong}

    return asyncio.run(parent())


def from_a_thread() -> dict[str, Any]:
    clients = sync_clients(make_reader(), shared=True)
    ask_often(clients, "parent")
    said: list[Any] = []
    thread = threading.Thread(
        target=lambda: said.extend(fork_children(lambda number: ask_often(clients, f"child {number}")))
    )
    thread.start()
    thread.join()
    return {"parent": ask_often(clients, "parent"), "children": said}


_preloaded: list[openai.OpenAI] = []


def _of_a_worker(number: int) -> list[str]:
    return ask_often(_preloaded, f"child {number}")


def by_multiprocessing() -> dict[str, Any]:
    _preloaded.extend(sync_clients(make_reader(), shared=False))
    ask_often(_preloaded, "parent")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with multiprocessing.get_context("fork").Pool(CHILDREN) as pool:
            wrong = pool.map(_of_a_worker, range(CHILDREN), chunksize=1)
            pool.close()
            pool.join()
    return {"parent": ask_often(_preloaded, "parent"), "children": wrong}


def grandchildren() -> dict[str, Any]:
    clients = sync_clients(make_reader(), shared=False)
    ask_often(clients, "parent")

    def child(number: int) -> list[str]:
        wrong = ask_often(clients, f"child {number}")
        for said in fork_children(lambda below: ask_often(clients, f"child {number} of child {below}"), 2):
            wrong += said
        return wrong + ask_often(clients, f"child {number}")

    return {"parent": [], "children": fork_children(child)}


def during_a_call(shared: bool) -> dict[str, Any]:
    """Another thread is in a call when the children are made, and holds the one connection that the network allows."""
    clients = sync_clients(make_reader(), shared)
    ask(clients[0], "parent, call 0")
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(ask(clients[0], "hold the parent's call")))
    thread.start()
    print("held?", flush=True)
    sys.stdin.readline()
    wrong = fork_children(lambda number: ask_often(clients, f"child {number}"))
    print("release", flush=True)
    thread.join()
    return {"parent": [answer for answer in answers if answer != "hold the parent's call"], "children": wrong}


def during_a_read(refresh: bool) -> dict[str, Any]:
    """A thread of the parent fetches when the children are made, for a caller who waits or, with `refresh`, near the
    end of a cached key's time. In each, eight threads read at once."""
    sys.setswitchinterval(1e-6)
    now = [time.time()]
    reader = make_reader(clock=lambda: now[0])
    if refresh:
        reader.get("acme")
        print("cached", flush=True)
        sys.stdin.readline()
        now[0] += 269
    thread = threading.Thread(target=lambda: reader.get("acme"))
    thread.start()
    print("held?", flush=True)
    sys.stdin.readline()

    def eight_at_once(_: int) -> list[str]:
        start = threading.Barrier(8)
        tenants: list[str] = []

        def read() -> None:
            start.wait()
            tenants.append(reader.get("acme").tenant)

        readers = [threading.Thread(target=read) for _ in range(8)]
        for each in readers:
            each.start()
        for each in readers:
            each.join()
        return tenants

    said = fork_children(eight_at_once, CHILDREN if refresh else MANY, lambda: print("release", flush=True))
    thread.join()
    return {"parent": [], "children": said}


def jitter() -> dict[str, Any]:
    reader = make_reader()
    reader.get("acme")
    random.seed(1)

    def fresh_until(_: int) -> float:
        reader.get("acme")
        warm = reader._entries["acme"].warm
        assert warm is not None
        return warm[1] - warm[0]

    return {"parent": [], "children": fork_children(fresh_until)}


def given_aws_client() -> dict[str, Any]:
    """Each process reads a tenant of its own, so that a connection tells who used it."""
    now = [time.time()]
    given = CLOSING.enter_context(closing(boto3.client("secretsmanager", region_name="eu-central-1")))
    reader = make_reader(assume=False, secretsmanager=given, clock=lambda: now[0])

    def read(tenant: str) -> list[str]:
        answers: list[str] = []
        for _ in range(CALLS):
            now[0] += 400
            answers.append(reader.get(tenant).tenant)
        return [answer for answer in answers if answer != tenant]

    before = read("parent")
    wrong = fork_children(lambda number: read(f"child{number}"))
    return {"parent": before + read("parent"), "children": wrong}


class Counted(httpx2.BaseTransport):
    """A transport of an application, built on httpx2's."""

    def __init__(self) -> None:
        self.below = [httpx2.HTTPTransport(limits=ONE)]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.below[0].handle_request(request)

    def close(self) -> None:
        self.below[0].close()


class Hidden(Counted):
    """Nobody sees from outside that it holds connections."""

    def __init__(self) -> None:
        super().__init__()
        transport = self.below.pop()
        self.handle_request, self.close = (lambda request: transport.handle_request(request)), transport.close


def own_transport(transport: httpx2.BaseTransport) -> dict[str, Any]:
    network = CLOSING.enter_context(httpx2.Client(transport=transport))
    clients = [CLOSING.enter_context(make_reader().openai_client("acme", http_client=network))]
    before = ask_often(clients, "parent")
    said = fork_children(lambda number: ask_often(clients, f"child {number}"))
    return {"parent": before + ask_often(clients, "parent"), "children": said}


def inherited_answer() -> dict[str, Any]:
    """The head of a long answer has come when the children are made. They try to read on; it is the parent's."""
    client = sync_clients(make_reader(), shared=True)[0]
    long = "parent, " + "x" * 3_000_000
    with client.chat.completions.with_streaming_response.create(**question(long)) as answer:

        def read_on(_: int) -> str:
            try:
                return f"{len(answer.read())} bytes"
            except (openai.APIError, httpx2.HTTPError):
                return "refused"

        said = fork_children(read_on)
        whole = json.loads(answer.read())["choices"][0]["message"]["content"] == long
    return {"parent": [] if whole else ["torn"], "children": said}


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "sync": lambda: sync(shared=False),
    "sync, shared": lambda: sync(shared=True),
    "asyncio": lambda: asynchronous(shared=False),
    "asyncio, shared": lambda: asynchronous(shared=True),
    "from a thread": from_a_thread,
    "multiprocessing": by_multiprocessing,
    "grandchildren": grandchildren,
    "during a call": lambda: during_a_call(shared=False),
    "during a call, shared": lambda: during_a_call(shared=True),
    "during a read": lambda: during_a_read(refresh=False),
    "during a refresh": lambda: during_a_read(refresh=True),
    "jitter": jitter,
    "given AWS client": given_aws_client,
    "own transport": lambda: own_transport(Counted()),
    "hidden transport": lambda: own_transport(Hidden()),
    "inherited answer": inherited_answer,
}

if __name__ == "__main__":
    with CLOSING:
        outcome = {part: PARTS[part]() for part in sys.argv[1:]}
    print(json.dumps(outcome))
