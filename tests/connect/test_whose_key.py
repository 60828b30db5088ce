"""Whose a key is, by the header of OpenAI's answers: nothing else decides whether a person must confirm it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from functions.rotation.proof import Proof
from functions.shared.customer_key import Tried, try_key
from functions.shared.deadline import Deadline
from functions.shared.openai_http import OpenAIHTTP
from myflux_keys.payload import SecretText

KEY = SecretText("sk-" + "svcacct-" + "K3y" * 20)
OURS, THEIRS = "acme-travel-x1", "acme-travel-x2"


@contextmanager
def answering(*names: str | None) -> Generator[str]:
    """The API's address; its answers name these organizations, one after the other."""
    left = list(names)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            if (name := left.pop(0)) is not None:
                self.send_header("openai-organization", name)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET  # noqa: N815 - the name is http.server's

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join(5)


def tried(*names: str | None) -> Tried:
    """One lookup of a model and the billed call, or more lookups for more names."""
    with answering(*names) as url:
        return try_key(OpenAIHTTP(url, Deadline(60)), Deadline(60), KEY, ["gpt-6-luna"] * (len(names) - 1))


@pytest.mark.parametrize("names", [(OURS, OURS), (None, OURS), (OURS, None), (f"{OURS} ", f"\t{OURS}")])
def test_answers_that_name_one_organization_name_the_keys(names: tuple[str | None, ...]) -> None:
    """Blanks around a header's value do not belong to it."""
    assert (tried(*names).proof, tried(*names).organization) == (Proof.ACCEPTED, OURS)


@pytest.mark.parametrize("names", [(THEIRS, OURS), (OURS, THEIRS), (OURS, OURS.upper()), (OURS, THEIRS, OURS)])
def test_answers_that_name_two_say_nothing_about_the_key(names: tuple[str, ...]) -> None:
    """A key has one organization. Which of two names a person confirmed must not depend on who answered last."""
    assert (tried(*names).proof, tried(*names).organization) == (Proof.UNCLEAR, None)


@pytest.mark.parametrize("name", [None, "", "acme travel", "acme, acme", "acmé", "x" * 101])
def test_a_name_that_is_none_is_no_name(name: str | None) -> None:
    assert tried(name, name).organization is None


def test_one_key_is_not_taken_for_the_key_before() -> None:
    with answering(THEIRS, THEIRS, None, None, OURS, OURS) as url:
        http = OpenAIHTTP(url, Deadline(60))
        found = [try_key(http, Deadline(60), KEY, ["gpt-6-luna"]).organization for _ in range(3)]
    assert found == [THEIRS, None, OURS]
