"""A tenant without a key: it answers, others get no token of it, and it switches to a key and back while calls run."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import httpx2
from botocore.exceptions import ClientError

import tenancy
from demo.calling import Callers
from demo.proving import proven
from demo.report import CheckFailed, Report
from demo.scene import Scene, denied, wait_until
from myflux_keys import FederatedTenantError
from myflux_keys.identity import ALGORITHM, TOKEN_SECONDS, TenantIdentity, exchange_url
from myflux_keys.payload import SecretText
from ops.cli.options import ROOT

TENANT = "harbor"
_OTHER = "acme"
_FIELDS = ("--name", "Harbor Ferries", "--from", _OTHER, "--credential", "federated")
_WAITING = re.compile(r"waiting until .* for ([0-9]+) minutes")


@dataclass
class _Clock:
    """The callers': it goes on with the cell's, as one time does for both in AWS."""

    scene: Scene
    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def advance(self, seconds: float) -> None:
        self.scene.cell.advance(seconds)
        self.ahead += seconds


def keyless_tenant(scene: Scene, report: Report) -> str:
    scene.command("new", TENANT, *_FIELDS)
    scene.command("up", TENANT)
    scene.fleet = tenancy.load(scene.fleet_folder)
    _has_no_key(scene)
    with scene.reader.openai_client(TENANT) as client:
        client.responses.create(model=scene.fleet.tenants[TENANT].models[0], input="When does the next ferry leave?")
    claims = proven(scene)
    refused = _others_tokens_refused(scene)
    clock = _Clock(scene)
    with Callers(scene, TENANT, scene.new_reader(clock)) as callers:
        wait_until(lambda: callers.answered >= 4 or bool(callers.failures), "the first calls")
        _switch(scene, clock, "--key")
        if scene.reader.get(TENANT, fresh=True).tenant != TENANT:
            raise CheckFailed("the reader has another tenant's key")
        _switch(scene, clock, "--federated")
        in_flight = callers.answered
        wait_until(lambda: callers.answered >= in_flight + 4 or bool(callers.failures), "calls with a token again")
    if callers.failures:
        raise CheckFailed(f"{len(callers.failures)} calls failed, the first: {callers.failures[0]}")
    _has_no_key(scene)
    report.figures["calls_through_both_switches"] = callers.answered
    return (
        f"{TENANT} answers with no secret; {claims} claims hold; {refused} ways to a wrong token refused; "
        f"{callers.answered} calls while it switched to a key and back: none failed"
    )


def _has_no_key(scene: Scene) -> None:
    """At AWS, at OpenAI, and for the reader."""
    name = scene.names.tenant(TENANT)
    try:
        described = scene.client("deployer", "secretsmanager").describe_secret(SecretId=name.secret)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
            raise
    else:
        if "DeletedDate" not in described:
            raise CheckFailed(f"{name.secret} is there")
    project = next(one.id for one in scene.cell.openai.projects() if one.name == name.project)
    if keys := scene.cell.openai.live_keys(project):
        raise CheckFailed(f"{len(keys)} keys of {TENANT} are valid")
    try:
        scene.reader.get(TENANT, fresh=True)
    except FederatedTenantError:
        return
    raise CheckFailed(f"the reader returned a key of {TENANT}")


def _others_tokens_refused(scene: Scene) -> int:
    """What the runtime can try for another tenant than its session is tagged with."""
    theirs, own = scene.as_runtime(_OTHER), scene.as_runtime(TENANT)
    bucket, key = scene.names.health_bucket, scene.names.tenant(TENANT).identity
    stored: Any = _s3(own).get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    identity = TenantIdentity.from_json(stored)
    denied(lambda: _s3(theirs).get_object(Bucket=bucket, Key=key), f"{_OTHER} reading {TENANT}'s identity")
    tag = [{"Key": "tenant", "Value": TENANT}]
    denied(lambda: _token(scene, theirs, Tags=tag), f"{_OTHER} asking for a token with a tag of its choice")
    stranger = [scene.names.identity_audience, "https://collector.example"]
    denied(lambda: _token(scene, own, Audience=stranger), "a token for a stranger too")
    denied(lambda: _token(scene, own, DurationSeconds=TOKEN_SECONDS + 1), "a longer token")
    _exchange(identity, _token(scene, own), expected=200)
    _exchange(identity, _token(scene, theirs), expected=400)
    return 5


def _s3(session: Any) -> Any:
    return session.client("s3")


def _token(scene: Scene, session: Any, **other: Any) -> str:
    asked = {
        "Audience": [scene.names.identity_audience],
        "DurationSeconds": TOKEN_SECONDS,
        "SigningAlgorithm": ALGORITHM,
    }
    return session.client("sts").get_web_identity_token(**asked | other)["WebIdentityToken"]


def _exchange(identity: TenantIdentity, token: str, *, expected: int) -> None:
    answer = httpx2.post(exchange_url(identity.base_url), json=identity.exchange_request(SecretText(token)))
    if answer.status_code != expected:
        raise CheckFailed(f"the exchange was answered with {answer.status_code}, where {expected} is right")


def _switch(scene: Scene, clock: _Clock, direction: str) -> None:
    """The command waits by the cell's clock, which goes on as soon as it says that it waits."""
    command = [sys.executable, "-m", "ops.cli", "credential", TENANT, direction, "--yes"]
    said: list[str] = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            said.append(line)
            if found := _WAITING.search(line):
                clock.advance(60 * (int(found[1]) + 1))
    with (scene.home / "engine" / "commands.log").open("a", encoding="utf-8") as log:
        log.writelines(said)
    if process.returncode:
        raise CheckFailed(f"myflux-keys credential {TENANT} {direction}: {''.join(said).strip()}")
