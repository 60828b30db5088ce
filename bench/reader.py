"""How long a warm read takes, compared with the usual libraries and with no cache.

Every candidate reads the same secret from the same local server in the same run. Rounds alternate between candidates,
and the medians are compared. No warm read uses the network, except with boto3 alone: that row shows what a cache saves
and is not a goal. `run()` returns rows; `python -m bench.reader` prints them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypedDict

import boto3
from aws_lambda_powertools.utilities.parameters import SecretsProvider, get_secret
from aws_lambda_powertools.utilities.parameters.constants import DEFAULT_PROVIDERS
from aws_secretsmanager_caching import SecretCache
from botocore.config import Config

from myflux_keys import KeyReader
from myflux_keys.names import secret_name
from tests.reader.stand_in import StandIn, key_text

ROUNDS = 15
READS = {"boto3": 100}
"""Reads per round. Fewer over HTTP, which is too slow for the number of reads that a cache needs."""
MANY_READS = 20_000
SECRET = secret_name("cell", "acme")
VERSION = "00000000-0000-4000-8000-000000000001"
GOAL = 1 / 7
"""Of the fastest peer's time."""


class Row(TypedDict):
    name: str
    value: float
    unit: str
    goal: str
    ok: bool | None
    """None for a peer's row, which has no goal."""


@contextmanager
def client_of(stand_in: StandIn, config: Config | None = None) -> Generator[Any]:
    client = boto3.client(
        "secretsmanager",
        endpoint_url=stand_in.url,
        region_name="eu-central-1",
        aws_access_key_id="A" * 16,
        aws_secret_access_key="s" * 40,
        config=config,
    )
    try:
        yield client
    finally:
        client.close()


@contextmanager
def candidates(client: Any) -> Generator[dict[str, Callable[[], object]]]:
    """Each candidate reads the secret once, so that all later reads are warm."""
    held = DEFAULT_PROVIDERS.get("secrets")
    DEFAULT_PROVIDERS["secrets"] = SecretsProvider(boto3_client=client)
    caching = SecretCache(client=client)
    with KeyReader("cell", assume=False, secretsmanager=client) as reader:
        reads: dict[str, Callable[[], object]] = {
            "myflux_keys": lambda: reader.get("acme"),
            "aws-secretsmanager-caching": lambda: caching.get_secret_string(SECRET),
            "powertools": lambda: get_secret(SECRET, max_age=300),
            "boto3": lambda: client.get_secret_value(SecretId=SECRET),
        }
        for read in reads.values():
            read()
        yield reads
    if held is None:
        del DEFAULT_PROVIDERS["secrets"]
    else:
        DEFAULT_PROVIDERS["secrets"] = held


def nanoseconds_a_read(read: Callable[[], object], reads: int) -> float:
    rounds = range(reads)
    began = time.perf_counter_ns()
    for _ in rounds:
        read()
    return (time.perf_counter_ns() - began) / reads


def run() -> dict[str, list[Row]]:
    with StandIn() as stand_in, client_of(stand_in) as client:
        stand_in.put("acme", key_text("acme"), VERSION)
        with candidates(client) as reads:
            taken: dict[str, list[float]] = {name: [] for name in reads}
            for _ in range(ROUNDS):
                for name, read in reads.items():
                    taken[name].append(nanoseconds_a_read(read, READS.get(name, MANY_READS)))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    ours = medians.pop("myflux_keys")
    fastest = min(medians, key=lambda name: medians[name])
    share = ours / medians[fastest]
    rows: list[Row] = [
        {"name": "warm get, myflux_keys", "value": round(ours, 1), "unit": "ns", "goal": "", "ok": None},
        *(
            {"name": f"warm get, {name}", "value": round(median, 1), "unit": "ns", "goal": "", "ok": None}
            for name, median in medians.items()
        ),
        {
            "name": f"warm get, share of the fastest peer ({fastest})",
            "value": round(share, 3),
            "unit": "of its time",
            "goal": f"<= {GOAL:.3f}",
            "ok": share <= GOAL,
        },
    ]
    return {"rows": rows}


def show(rows: list[Row]) -> None:
    for row in rows:
        verdict = "" if row["ok"] is None else f"goal {row['goal']}: {'met' if row['ok'] else 'MISSED'}"
        print(f"{row['name']:<80} {row['value']:>12,} {row['unit']:<12} {verdict}".rstrip())


if __name__ == "__main__":
    show(run()["rows"])
