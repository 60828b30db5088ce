"""What a cycle of the health function costs: its calls and seconds, for 10, 200 and 2,000 tenants.

The function's own code runs in this process, against a local cell's AWS and OpenAI over HTTP. Every tenant has a key
that works and traffic in this hour, so that no call is billed. Measured is the second cycle: the first one reads the
costs of a month. A wait for the Admin API's pace is counted and not slept.
"""

from __future__ import annotations

import json
import math
import shutil
import time
import urllib.request
from collections import Counter
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import openai

from bench.figures import Figure, at_most
from functions.shared.deadline import Deadline
from local.cell import LocalCell
from myflux_keys import names
from myflux_keys.admin_budget import CALLS_PER_MINUTE
from myflux_keys.declaration import Declaration
from tests.health.world import MODEL, Clients, World

SIZES: Final = ((10, 1), (200, 1), (2000, 1), (2000, 200))
"""Tenants, and organizations that they are spread over. With more than one they are customers' own."""
QUICK: Final = ((4, 1), (4, 2))
LONGEST: Final = 600.0
"""Seconds of one invocation."""


@dataclass(frozen=True)
class Measured:
    """`seconds` without `waited`. `admin` are calls with an admin key, `busiest` the most of them to an endpoint of one
    organization, `tenants` those with tenants' keys, `aws` those to AWS by operation."""

    seconds: float
    waited: float
    admin: int
    busiest: int
    tenants: int
    aws: Counter[str]


def run(home: Path, *, quick: bool = False) -> list[Figure]:
    """Takes some minutes, most of them to make the tenants."""
    found: list[Figure] = []
    for tenants, organizations in QUICK if quick else SIZES:
        with crowded(home / f"health-{tenants}-{organizations}", tenants, organizations) as world:
            measured(world, organizations)
            found += figures(tenants, organizations, measured(world, organizations))
    return found


def figures(tenants: int, organizations: int, one: Measured) -> list[Figure]:
    where = f"{tenants:,} tenants in {organizations:,} organization{'s' if organizations > 1 else ''}"
    aws = ", ".join(f"{count} {name}" for name, count in sorted(one.aws.items()))
    waited = f"{one.waited:.0f} s of waiting for the Admin API not included" if one.waited else ""
    return [
        Figure(f"{where}: calls with admin keys", one.admin, "calls"),
        at_most(f"{where}: most to one endpoint of an organization", one.busiest, "calls", CALLS_PER_MINUTE),
        Figure(f"{where}: calls with tenants' keys, none billed", one.tenants, "calls"),
        Figure(f"{where}: calls to AWS", one.aws.total(), "calls", note=aws),
        at_most(f"{where}: a cycle", round(one.seconds, 2), "s", LONGEST, note=waited),
    ]


def measured(world: World, organizations: int) -> Measured:
    """One cycle. Raises RuntimeError if it did not look at every tenant, or made a billed call."""
    slept: list[float] = []
    aws: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        aws[model.name] += 1

    clients = (world.aws.secrets, world.aws.s3, world.aws.sns, world.aws.cloudwatch)
    for client in clients:
        client.meta.events.register("before-call", count)
    world.control.clear_calls()
    began = time.perf_counter()
    try:
        answer = world.cycle(Deadline(LONGEST, sleep=slept.append))
        seconds = time.perf_counter() - began
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", count)
    if answer["failed"] or answer["probes"] or answer["next"] or answer["tenants"] != answer["watched"]:
        raise RuntimeError(f"the cycle is not the one to measure: {answer}")
    return Measured(
        seconds, sum(slept), answer["calls"]["admin"], _busiest(world, organizations), answer["calls"]["tenants"], aws
    )


def _busiest(world: World, organizations: int) -> int:
    """The organizations have as many tenants each, so each gets the same calls."""
    called = Counter(call.endpoint for call in world.control.calls() if "/organization/" in (call.endpoint or ""))
    return math.ceil(max(called.values(), default=0) / organizations)


@contextmanager
def crowded(home: Path, tenants: int, organizations: int) -> Generator[World]:
    """A cell in `home` with so many tenants. It is deleted afterwards."""
    LocalCell.clear(home)
    cell = LocalCell.start(home)
    clients = Clients(cell)
    try:
        world = World(cell, clients)
        slugs = [f"tenant-{number:04d}" for number in range(tenants)]
        if organizations == 1:
            fill(world, slugs, world.admin_key, "")
        for number in range(organizations if organizations > 1 else 0):
            organization = f"org-customer-{number:03d}"
            world.control.open_customer(organization)
            admin = world.control.create_admin_key("ours", organization_id=organization)
            fill(world, slugs[number::organizations], admin, organization)
        yield world
    finally:
        clients.close()
        cell.stop()
        LocalCell.clear(home)
        shutil.rmtree(home, ignore_errors=True)


def fill(world: World, slugs: Iterable[str], admin_key: str, organization: str) -> None:
    """Makes tenants in the organization of `admin_key`. `organization`: a customer's id; empty for the cell's own."""
    with (
        openai.OpenAI(admin_api_key=admin_key, base_url=world.url, max_retries=0) as client,
        ThreadPoolExecutor(4) as workers,
    ):
        list(workers.map(lambda slug: _tenant(world, client, slug, admin_key, organization), slugs))


def _tenant(world: World, client: openai.OpenAI, slug: str, admin_key: str, organization: str) -> None:
    projects = client.admin.organization.projects
    project = projects.create(name=names.project_name(world.slug, slug)).id
    projects.model_permissions.update(project, mode="allow_list", model_ids=[MODEL])
    account = projects.service_accounts.create(project, name="runtime", create_service_account_only=True).id
    projects.service_accounts.update(account, project_id=project, role="member")
    key = projects.service_accounts.api_keys.create(account, project_id=project, expires_in_seconds=30 * 86_400)
    world.store(slug, key.value, key_id=key.id, project=project, account=account, organization=organization)
    if organization:
        secret = names.customer_admin_secret(world.slug, slug)
        world.aws.secrets.create_secret(Name=secret, SecretString=admin_key)
    source = "customer" if organization else "managed"
    declared = Declaration(slug, world.slug, slug.title(), "CR", source, (MODEL,), organization_id=organization or None)
    world.put(f"declarations/{slug}.json", declared.to_json())
    _call(world.url, key.value)


def _call(url: str, key: str) -> None:
    """One call of the tenant's own, so that its hour has traffic."""
    body = json.dumps({"model": MODEL, "input": "Is anybody there?"}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/responses", body, headers)  # noqa: S310 - the cell is on loopback
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        response.read()
