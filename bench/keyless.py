"""What a client's call costs without a key, and how many exchanges 1,000 threads make when a token ends.

Both tenants of one reader call through the same transport, over a network that answers at once; OpenAI's own client
with workload identity stands beside them. Rounds alternate between candidates, and the medians are compared. Exchanges
are counted at the server, which answers with a delay; time is not measured. `run()` returns rows;
`python -m bench.keyless` prints them.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import boto3
import httpx2
import openai

from bench.reader import Row, nanoseconds_a_read, show
from bench.thundering_herd import ANSWER_SECONDS, GOAL, THREADS, stampede
from myflux_keys import KeyReader
from myflux_keys.identity import TenantIdentity
from tests.keyless.exchange_server import ExchangeServer, granted
from tests.reader.openai_stand_in import ANSWER, ASK
from tests.reader.stand_in import StandIn, key_text

ROUNDS = 15
CALLS = 60
MOST_OF_A_KEYS = 1.1
"""A call with a token takes at most this share of one with a key."""


@contextmanager
def cell() -> Generator[tuple[StandIn, ExchangeServer]]:
    """Tenant `keyed` has a key, tenant `keyless` an identity."""
    with StandIn() as aws, ExchangeServer(granted()) as exchange:
        aws.put("keyed", key_text("keyed"), base_url=exchange.base_url)
        aws.identities["keyless"] = TenantIdentity(
            "keyless", aws.cell, "idp_1", "sa_1", "proj_1", "org-1", exchange.base_url, ("gpt-5-mini",)
        ).to_json()
        before = os.environ.get("AWS_ENDPOINT_URL")
        os.environ["AWS_ENDPOINT_URL"] = aws.url
        try:
            yield aws, exchange
        finally:
            del os.environ["AWS_ENDPOINT_URL"]
            if before is not None:
                os.environ["AWS_ENDPOINT_URL"] = before


def reading(clock: Callable[[], float] = time.time) -> KeyReader:
    return KeyReader("cell", session=boto3.Session("A" * 16, "s" * 40, region_name="eu-central-1"), clock=clock)


def _answers(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json=ANSWER)


@contextmanager
def clients() -> Generator[dict[str, openai.OpenAI]]:
    with cell() as (_, exchange), ExitStack() as stack:
        reader = stack.enter_context(reading())
        network = stack.enter_context(httpx2.Client(transport=httpx2.MockTransport(_answers)))
        own: Any = {
            "identity_provider_id": "idp_1",
            "service_account_id": "sa_1",
            "provider": {"token_type": "jwt", "get_token": lambda: "signed"},
        }
        official = openai.OpenAI(workload_identity=own, base_url=exchange.base_url, http_client=network)
        # The SDK has no public option for the address of the exchange.
        vars(official)["_workload_identity_auth"].token_exchange_url = f"{exchange.root}/oauth/token"
        made = {
            "with a token": reader.openai_client("keyless", http_client=network),
            "with a key": reader.openai_client("keyed", http_client=network),
            "with a token by OpenAI's own client": official,
        }
        for client in made.values():
            client.chat.completions.create(**ASK)
        yield made


def call_rows() -> list[Row]:
    with clients() as made:
        taken: dict[str, list[float]] = {name: [] for name in made}
        for _ in range(ROUNDS):
            for name, client in made.items():
                taken[name].append(nanoseconds_a_read(lambda c=client: c.chat.completions.create(**ASK), CALLS) / 1000)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    share = medians["with a token"] / medians["with a key"]
    rows: list[Row] = [
        {"name": f"a warm call, {name}", "value": round(median, 1), "unit": "µs", "goal": "", "ok": None}
        for name, median in medians.items()
    ]
    rows.append(
        {
            "name": "a warm call with a token, share of one with a key",
            "value": round(share, 3),
            "unit": "of its time",
            "goal": f"<= {MOST_OF_A_KEYS}",
            "ok": share <= MOST_OF_A_KEYS,
        }
    )
    return rows


def exchanges() -> tuple[int, int]:
    """(exchanges that OpenAI received at a token's end, threads that got an answer)."""
    moved = [0.0]
    with (
        cell() as (_, exchange),
        reading(lambda: time.time() + moved[0]) as reader,
        httpx2.Client(transport=httpx2.MockTransport(_answers)) as network,
        reader.openai_client("keyless", http_client=network) as client,
    ):
        client.chat.completions.create(**ASK)
        moved[0] += 901
        exchange.seconds = ANSWER_SECONDS
        before = len(exchange.requests)
        answered = stampede(lambda: client.chat.completions.create(**ASK))
        return len(exchange.requests) - before, answered


def run() -> dict[str, list[Row]]:
    made, answered = exchanges()
    herd: Row = {
        "name": f"exchanges by {THREADS:,} threads at a token's end ({answered:,} answered)",
        "value": made,
        "unit": "exchanges",
        "goal": f"= {GOAL}",
        "ok": made == GOAL and answered == THREADS,
    }
    return {"rows": [*call_rows(), herd]}


if __name__ == "__main__":
    show(run()["rows"])
