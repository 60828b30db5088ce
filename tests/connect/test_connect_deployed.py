"""Connect as the real engine deploys it: a customer's key goes from the page's URL to the application, each part by its
own rights; and switched off, nothing of it is left."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from demo.leaks import Text, files, prove_search, search
from functions.shared.intake import HANDED_IN, Outcome
from local.cell import LocalCell
from myflux_keys import KeyReader
from myflux_keys.cell_functions import CONNECT, PROMOTER
from ops.actions import run_connect, run_doctor
from ops.actions.doctor import Finding
from ops.actions.doctor_connect import PAGE, PROMOTING
from tests.connect.visitor import Browser, Customer, at_once
from tests.customer_key.theirs import TheirOpenAI
from tests.program.rig import CELL, ROOT, Rig

pytestmark = [pytest.mark.engine, pytest.mark.cell]
CUSTOMER = "initech"
DOCS = ROOT / "docs" / "connect.md"
ON, OFF = "connect: {enabled: true}\n", "connect: {enabled: false}\n"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A cell with connect, and one customer's place."""
    folder = tmp_path_factory.mktemp("deployed")
    started = LocalCell.start(folder / "cell")
    try:
        made = Rig(started, folder / "fleet", folder / "said")
        made.said.mkdir()
        made.another_fleet(made.fleet)
        started.openai.settings(admin_requests_per_minute=0)
        switch(made, ON)
        made.up(CELL)
        made.up(f"{CUSTOMER}.{CELL}")
        yield made
    finally:
        started.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="module", autouse=True)
def _credentials(rig: Rig) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in rig.cell.environment("deployer").items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        # A session that was made before has others' credentials.
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        yield


def switch(rig: Rig, setting: str) -> None:
    file = rig.fleet / "cells" / f"{CELL}.yaml"
    text = file.read_text(encoding="utf-8").replace(ON, "").replace(OFF, "")
    file.write_text(text + setting, encoding="utf-8")


@dataclass(frozen=True)
class Way:
    """One customer's key on its way, each time told as the page or the command told it. `traffic` is what page and
    visitor sent each other, without the bodies of what the visitor sent."""

    key: str
    organization: str
    page: tuple[int, str]
    opened: dict[str, Any]
    checked: dict[str, Any]
    before: str
    """The link's state before a person confirmed the organization."""
    told: str | None
    """The organization that the person was shown."""
    done: Outcome | None
    after: str
    traffic: list[str]


@pytest.fixture(scope="module")
def way(rig: Rig, _credentials: None) -> Way:
    theirs = TheirOpenAI(rig.cell)
    key = theirs.key()[1]
    made = run_connect.make(rig.fleet, CUSTOMER, seconds=3600, language="en")
    address, _, token = made.url.partition("#")
    browser = Browser(rig.cell, address)
    page = browser.ask("GET", "/")
    opened = browser.post("/session", token=token)
    checked = browser.post("/check", link=made.link.id, key=key)
    browser.post("/save", link=made.link.id, key=key)
    invoke(rig, PROMOTER.ending)
    before = browser.post("/state", link=made.link.id)["state"]
    one, done = run_connect.confirm(rig.fleet, CUSTOMER, None, confirmed=lambda seen: seen.place.id == made.link.id)
    return Way(
        key,
        theirs.organization,
        page,
        opened,
        checked,
        before,
        one.outcome.organization if one.outcome else None,
        done.outcome,
        browser.post("/state", link=made.link.id)["state"],
        browser.traffic,
    )


def test_a_customers_key_goes_from_the_page_to_the_application(rig: Rig, way: Way) -> None:
    assert (way.page[0], "<html" in way.page[1]) == (200, True), way.page[1][:200]
    assert (way.opened["state"], way.checked["passed"]) == ("open", True), way.checked
    assert (way.before, way.told) == ("waiting", way.organization)
    assert way.done is not None
    assert (way.done.state, way.after) == ("promoted", "promoted")
    role = rig.names.runtime_role_arn
    with KeyReader(CELL, session=rig.cell.session("runtime"), role_arn=role) as reader:
        assert reader.get(CUSTOMER).reveal() == way.key
    for stack in (CELL, f"{CUSTOMER}.{CELL}"):
        assert way.key not in json.dumps(rig.export(stack, "--show-secrets")), "no key is in a state"


def invoke(rig: Rig, ending: str) -> dict[str, Any]:
    functions = rig.client("deployer", "lambda")
    try:
        answer = functions.invoke(FunctionName=f"myflux-{CELL}-{ending}", Payload=b"{}")
        told = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, told
        return told
    finally:
        functions.close()


CROWD = 60
"""Six times the executions that the page has."""


class TheCrowd(TheirOpenAI):
    """In an organization that nobody has confirmed."""

    organization = "org-crowd"


@dataclass(frozen=True)
class Crowd:
    """`saved`: who had while all were there. `live`: what the application read before and meanwhile."""

    customers: list[Customer]
    saved: list[bool]
    live: tuple[str, str]


@pytest.fixture(scope="module")
def crowd(rig: Rig, way: Way) -> Crowd:
    """At the page at once, while the application reads the key that came before, and the promoter runs."""
    assert way.done
    theirs = TheCrowd(rig.cell)
    customers = [
        Customer(run_connect.make(rig.fleet, CUSTOMER, seconds=3600, language="en"), theirs.key()[1])
        for _ in range(CROWD)
    ]
    role = rig.names.runtime_role_arn
    with (
        ThreadPoolExecutor(1) as beside,
        KeyReader(CELL, session=rig.cell.session("runtime"), role_arn=role) as reader,
    ):
        come = beside.submit(at_once, rig.cell, customers, (0.2, 0.4))
        live = reader.get(CUSTOMER).reveal()
        invoke(rig, PROMOTER.ending)
        again = reader.get(CUSTOMER, fresh=True).reveal()
        come.result()
    return Crowd(customers, [one.saved for one in customers], (live, again))


def test_a_crowd_at_once_ends_saved_or_busy_and_nothing_is_lost(rig: Rig, way: Way, crowd: Crowd) -> None:
    """Whoever the page had no execution for is told so, and saves afterwards. Each key arrives by its own link, and the
    neighbours notice nothing: the application reads, and the promoter runs, since the page's executions are its own."""
    customers = crowd.customers
    assert crowd.live == (way.key, way.key)
    busy = [one for one, saved in zip(customers, crowd.saved, strict=True) if not saved]
    assert len(busy) < CROWD, "some were served"
    states = {one.place.id: one.state for one in run_connect.listed(rig.fleet, CUSTOMER)[CELL]}
    for one in customers:
        # The schedule of the promoter may have taken some already.
        assert states[one.made.link.id] in (("handed in", "waiting") if one.saved else ("open",)), one
    for one in busy:
        one.hand_in(rig.cell)
        assert one.saved, one
    told = arrived(rig, {one.made.link.id for one in customers})
    assert told == {one.made.link.id: one.key[-4:] for one in customers}
    run_connect.revoke(rig.fleet, CUSTOMER, None)


def arrived(rig: Rig, links: set[str]) -> dict[str, str]:
    """By link, the last four characters of the key that waits for a person."""
    found: dict[str, str] = {}
    for _ in range(10):
        listed = [one for one in run_connect.listed(rig.fleet, CUSTOMER)[CELL] if one.state == "waiting"]
        found = {one.place.id: one.outcome.last_four for one in listed if one.outcome and one.place.id in links}
        if found.keys() == links:
            break
        # A run that the schedule began may be on some.
        invoke(rig, PROMOTER.ending)
    return found


def test_no_key_stands_in_logs_traffic_objects_or_the_trail(rig: Rig, way: Way, crowd: Crowd, tmp_path: Path) -> None:
    """After keys came, one by one and at once, and were put where none belongs."""
    traffic = [*way.traffic, *(text for one in crowd.customers for text in one.traffic)]
    key = TheirOpenAI(rig.cell, "a careless customer's").key()[1]
    admin = rig.cell.openai.create_admin_key("pasted by mistake")
    made = run_connect.make(rig.fleet, CUSTOMER, seconds=3600, language="en")
    careless = Browser(rig.cell, made.url)
    assert careless.post("/session", token=made.url.partition("#")[2])["state"] == "open"
    refused = careless.post("/check", link=made.link.id, key=admin)
    assert not refused["passed"]
    for path in ("/session", "/check", "/save", "/state"):
        assert careless.ask("POST", path, {"link": key, "token": key, "key": key, key: key})[0] in (403, 409)
    said = len(careless.traffic)
    careless.ask("GET", f"/{key}?key={key}")
    careless.cookie = f"__Host-link={key}"
    assert careless.ask("POST", "/save", {"link": made.link.id, "key": key})[0] == 403
    # Here the visitor itself wrote the key into what is sent.
    answers = [text.partition("\n")[2] for text in careless.traffic[said:]]
    run_connect.revoke(rig.fleet, CUSTOMER, made.link.id)

    texts = [Text("traffic", "\n".join([*traffic, *careless.traffic[:said], *answers]).encode()), *written(rig)]
    assert '"passed"' in texts[0].content.decode(), "the answers to checks of keys are among it"
    prove_search(tmp_path)
    keys = {one.id: one.value for one in rig.cell.openai.minted()} | {"a careless customer's": key, "admin": admin}
    assert len(keys) > CROWD, "there is something to look for"
    assert [f"{leak.key_id} in {leak.where}, {leak.encoding}" for leak in search(texts, keys)] == []


def written(rig: Rig) -> Iterator[Text]:
    """What AWS holds of both functions. No key is on its way at the intake, or it is a ciphertext nobody may read."""

    def ask(service: str, operation: str, *, who: str = "administrator", **arguments: Any) -> Any:
        client = rig.client(who, service)
        try:
            if client.can_paginate(operation):
                return list(client.get_paginator(operation).paginate(**arguments))
            return getattr(client, operation)(**arguments)
        finally:
            client.close()

    for one, event in ((CONNECT, "connect.save"), (PROMOTER, "connect.promote")):
        group = rig.names.log_group(rig.names.function(one))
        lines = json.dumps(ask("logs", "filter_log_events", logGroupName=group))
        assert event in lines, "the function spoke"
        yield Text(group, lines.encode())
    trail = json.dumps(ask("cloudtrail", "lookup_events"), default=str)
    assert "GenerateMac" in trail
    yield Text("CloudTrail", trail.encode())
    bucket, read = rig.names.connect_bucket, set[str]()
    for page in ask("s3", "list_objects_v2", Bucket=bucket):
        for name in (each["Key"] for each in page.get("Contents", [])):
            if not name.startswith(HANDED_IN):
                read.add(name.partition("/")[0])
                yield Text(name, ask("s3", "get_object", who="deployer", Bucket=bucket, Key=name)["Body"].read())
    assert read == {"links", "revoked", "seen", "outcome", "confirmed"}
    yield from files(sorted([*rig.said.rglob("*"), *rig.cell.home.rglob("*.log")]))


def test_nothing_changes_by_a_second_update_and_a_refresh(rig: Rig) -> None:
    assert rig.up(CELL).changed == {}
    rig.refresh(CELL)
    assert rig.preview(CELL).changed == {}


def test_nothing_of_a_link_stays_longer_than_thirty_days_and_what_a_person_confirmed_stays(rig: Rig) -> None:
    s3 = rig.client("deployer", "s3")
    rules = s3.get_bucket_lifecycle_configuration(Bucket=rig.names.connect_bucket)["Rules"]
    s3.close()
    ended = {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in rules if rule["Status"] == "Enabled"}
    assert ended == dict.fromkeys(("handed-in/", "links/", "outcome/", "revoked/", "seen/"), 30)


def test_doctor_sees_that_the_page_is_open_and_what_closes_it(rig: Rig) -> None:
    """By the command with which the page is switched off at once, as docs/connect.md has it."""
    told = {one.check: one for one in doctored(rig)}
    assert [told[check].state for check in ("functions", PAGE, PROMOTING)] == ["ok"] * 3, told
    page = Browser(rig.cell, run_connect.make(rig.fleet, CUSTOMER, seconds=3600, language="en").url.partition("#")[0])
    assert page.ask("GET", "/")[0] == 200

    (block,) = re.findall(r"```sh\n(aws lambda put-function-concurrency .*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    typed = block.replace("CELL", CELL)
    try:
        in_shell(rig, typed)
        assert page.ask("GET", "/")[0] == 429
        (closed,) = [one for one in doctored(rig) if one.check == PAGE]
        assert (closed.state, "is closed" in closed.seen) == ("wrong", True), closed
    finally:
        in_shell(rig, typed.replace("executions 0", f"executions {CONNECT.reserved}"))
    assert page.ask("GET", "/")[0] == 200


def doctored(rig: Rig) -> list[Finding]:
    return run_doctor.examine(rig.fleet, CELL, report=lambda _: None)[CELL]


def in_shell(rig: Rig, typed: str) -> None:
    """As a person types it, with AWS's own command line."""
    tools = {"PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))}
    done = subprocess.run(
        ["bash", "-ec", typed], env=rig.environment() | tools, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nobody_invokes_the_page_but_through_its_url(rig: Rig) -> None:
    """Whoever has an account could send it an event of their own making."""
    functions = rig.client("runtime", "lambda")
    with pytest.raises(ClientError, match="AccessDenied"):
        functions.invoke(FunctionName=rig.names.function_arn(CONNECT), Payload=b"{}")
    functions.close()


def test_switched_off_nothing_is_left_of_it(rig: Rig) -> None:
    """Runs last: one word in the cell's file, and `myflux-keys up --cell`."""
    made = run_connect.make(rig.fleet, CUSTOMER, seconds=3600, language="es")
    browser = Browser(rig.cell, made.url.partition("#")[0])
    switch(rig, OFF)
    rig.up(CELL)
    assert browser.ask("GET", "/")[0] == 404
    with pytest.raises(ClientError, match="NoSuchBucket"):
        rig.client("administrator", "s3").list_objects_v2(Bucket=rig.names.connect_bucket)
    names = {one["name"] for one in _functions(rig)}
    assert not names & {rig.names.function(one) for one in (CONNECT, PROMOTER)}


def _functions(rig: Rig) -> list[dict[str, Any]]:
    functions = rig.client("administrator", "lambda")
    try:
        return [{"name": one["FunctionName"]} for one in functions.list_functions()["Functions"]]
    finally:
        functions.close()
