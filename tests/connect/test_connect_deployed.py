"""Connect as the real engine deploys it: a customer's key goes from the page's URL to the application, each part by its
own rights; and switched off, nothing of it is left."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from local.cell import LocalCell
from myflux_keys import KeyReader
from myflux_keys.cell_functions import CONNECT, PROMOTER
from ops.actions import run_connect
from tests.customer_key.theirs import TheirOpenAI
from tests.program.rig import CELL, Rig

pytestmark = [pytest.mark.engine, pytest.mark.cell]
CUSTOMER = "initech"
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


@pytest.fixture(autouse=True)
def _credentials(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in rig.cell.environment("deployer").items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


def switch(rig: Rig, setting: str) -> None:
    file = rig.fleet / "cells" / f"{CELL}.yaml"
    text = file.read_text(encoding="utf-8").replace(ON, "").replace(OFF, "")
    file.write_text(text + setting, encoding="utf-8")


class Browser:
    """Requests to the page's URL, by its host."""

    def __init__(self, rig: Rig, url: str) -> None:
        self._aws = urlsplit(rig.cell.aws_url)
        self._host = urlsplit(url).netloc
        self.cookie = ""

    def ask(self, method: str, path: str, fields: dict[str, Any] | None = None) -> tuple[int, str]:
        headers = {"Host": self._host, "Origin": f"https://{self._host}", "Sec-Fetch-Site": "same-origin"}
        headers |= {"Content-Type": "application/json"} if fields is not None else {}
        headers |= {"Cookie": self.cookie} if self.cookie else {}
        connection = http.client.HTTPConnection(self._aws.hostname or "", self._aws.port, timeout=120)
        try:
            connection.request(method, path, json.dumps(fields) if fields is not None else None, headers)
            answer = connection.getresponse()
            self.cookie = (answer.getheader("Set-Cookie") or self.cookie).partition(";")[0]
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        status, text = self.ask("POST", path, fields)
        assert status == 200, text
        return json.loads(text)


def test_a_customers_key_goes_from_the_page_to_the_application(rig: Rig) -> None:
    theirs = TheirOpenAI(rig.cell)
    key = theirs.key()[1]
    made = run_connect.make(rig.fleet, CUSTOMER, seconds=3600, language="en")
    address, _, token = made.url.partition("#")
    browser = Browser(rig, address)
    status, page = browser.ask("GET", "/")
    assert (status, "<html" in page) == (200, True), page[:200]
    assert browser.post("/session", token=token)["state"] == "open"
    checked = browser.post("/check", link=made.link.id, key=key)
    assert checked["passed"], checked
    browser.post("/save", link=made.link.id, key=key)
    invoke(rig, PROMOTER.ending)
    assert browser.post("/state", link=made.link.id)["state"] == "waiting"

    one, done = run_connect.confirm(rig.fleet, CUSTOMER, None, confirmed=lambda seen: seen.place.id == made.link.id)
    assert one.outcome is not None
    assert one.outcome.organization == theirs.organization
    assert done.outcome is not None
    assert done.outcome.state == "promoted", done
    assert browser.post("/state", link=made.link.id)["state"] == "promoted"
    role = rig.names.runtime_role_arn
    with KeyReader(CELL, session=rig.cell.session("runtime"), role_arn=role) as reader:
        assert reader.get(CUSTOMER).reveal() == key
    for stack in (CELL, f"{CUSTOMER}.{CELL}"):
        assert key not in json.dumps(rig.export(stack, "--show-secrets")), "no key is in a state"


def invoke(rig: Rig, ending: str) -> dict[str, Any]:
    functions = rig.client("deployer", "lambda")
    try:
        answer = functions.invoke(FunctionName=f"myflux-{CELL}-{ending}", Payload=b"{}")
        told = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, told
        return told
    finally:
        functions.close()


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


def test_nobody_invokes_the_page_but_through_its_url(rig: Rig) -> None:
    """Whoever has an account could send it an event of their own making."""
    functions = rig.client("runtime", "lambda")
    with pytest.raises(ClientError, match="AccessDenied"):
        functions.invoke(FunctionName=rig.names.function_arn(CONNECT), Payload=b"{}")
    functions.close()


def test_switched_off_nothing_is_left_of_it(rig: Rig) -> None:
    """Runs last: one word in the cell's file, and `myflux-keys up --cell`."""
    made = run_connect.make(rig.fleet, CUSTOMER, seconds=3600, language="es")
    browser = Browser(rig, made.url.partition("#")[0])
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
