"""The connect page: a customer's key goes from the page to the application, and a scanner spends nothing."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openai

from demo.report import CheckFailed, Report
from demo.scene import CELL, Scene
from functions.shared.intake import SEEN, Place
from functions.shared.link import Link, read, signed_part
from myflux_keys.cell_functions import PROMOTER

_THEIRS = "org-theirs"
"""The customer's own organization, which the cell's admin key does not reach."""
_DAYS_90 = 90 * 86_400


def connect_page(scene: Scene, report: Report) -> str:
    """An operator makes the link, the customer goes the page's way, and a person confirms the organization."""
    (tenant,) = scene.customers
    given, key = _link(scene, tenant), _their_key(scene)
    customer = _Client(scene, given.address)
    if customer.ask("GET", "/")[0] != 200:
        raise CheckFailed("the page does not open")
    _require(customer.post("/session", token=given.token), "state", "open")
    _require(customer.post("/check", link=given.link.id, key=key), "passed", True)
    _require(customer.post("/save", link=given.link.id, key=key), "result", "saved")
    _promote(scene)
    _require(customer.post("/state", link=given.link.id), "state", "waiting")
    # The customer named both on the telephone: the promoter promotes only what a person confirmed.
    confirmed: dict[str, Any] = json.loads(scene.command("connect", "confirm", tenant, "--yes", "--json"))
    if (confirmed["state"], confirmed["organization"]) != ("promoted", _THEIRS):
        raise CheckFailed(f"after the confirmation: {confirmed}")
    _require(customer.post("/state", link=given.link.id), "state", "promoted")
    stored = scene.reader.get(tenant, fresh=True)
    if stored.reveal() != key:
        raise CheckFailed(f"the application reads another key of {tenant} than the customer handed in")
    with scene.reader.openai_client(tenant) as client:
        client.responses.create(model=stored.models[0], input="Is anybody there?")
    report.figures["connect_link_characters"] = len(given.url)
    return f"{tenant}'s key: checked, saved, waited for a person, promoted; the model answered it"


def scanner_spends_nothing(scene: Scene, report: Report) -> str:
    """A mail scanner opens the link, and sends what the page's scripts and buttons send, without a key."""
    (tenant,) = scene.customers
    given = _link(scene, tenant)
    before, versions, calls = _objects(scene), _versions(scene, tenant), len(scene.cell.openai.calls())
    scanner = _Client(scene, given.address)
    for method, path, fields in _scan(given):
        status = scanner.ask(method, path, fields)[0]
        if status >= 500:
            raise CheckFailed(f"{method} {path} was answered with {status}")
    place = Place.of(given.link)
    if written := {key for key, tag in _objects(scene).items() if before.get(key) != tag} - {place.seen}:
        raise CheckFailed(f"the scanner had written: {', '.join(sorted(written))}")
    if (_versions(scene, tenant), len(scene.cell.openai.calls())) != (versions, calls):
        raise CheckFailed("the scanner changed the tenant's secret, or had OpenAI called")
    _require(_Client(scene, given.address).post("/session", token=given.token), "state", "open")
    scene.command("connect", tenant, "--revoke", "--link", given.link.id)
    report.figures["requests_of_the_scanner"] = len(_scan(given))
    return f"{len(_scan(given))} requests by GET, HEAD, POST and others: the link is open, only {SEEN} was written"


@dataclass(frozen=True)
class _Given:
    """A link as it was sent."""

    url: str
    link: Link

    @property
    def address(self) -> str:
        return self.url.partition("#")[0]

    @property
    def token(self) -> str:
        return self.url.partition("#")[2]


def _link(scene: Scene, tenant: str) -> _Given:
    made: dict[str, Any] = json.loads(scene.command("connect", tenant, "--language", "es", "--json"))
    signed = signed_part(made["url"].partition("#")[2])
    link = read(signed[0]) if signed else None
    if link is None:
        raise CheckFailed("`myflux-keys connect` printed no link")
    return _Given(made["url"], link)


def _scan(given: _Given) -> list[tuple[str, str, dict[str, Any] | None]]:
    """Method, path, and the JSON of the body. A script of the page opens the session first, so the rest have its
    cookie."""
    paths = ("/session", "/check", "/save", "/state")
    pressed: dict[str, Any] = {"link": given.link.id, "key": ""}
    return [
        ("GET", "/", None),
        ("HEAD", "/", None),
        ("GET", "/?utm_source=mail", None),
        ("GET", "/robots.txt", None),
        ("GET", "/favicon.ico", None),
        ("OPTIONS", "/", None),
        *(("GET", path, None) for path in paths),
        ("POST", "/session", {"token": given.token}),
        ("POST", "/session", {"token": given.token}),
        ("HEAD", "/save", None),
        *(("POST", path, pressed) for path in paths[1:]),
        ("POST", "/check", {"link": given.link.id, "key": "https://mail.example/scan"}),
        ("POST", "/save", {"link": given.link.id, "key": "https://mail.example/scan"}),
        ("POST", "/save", {}),
        ("PUT", "/save", pressed),
        ("DELETE", "/session", None),
    ]


class _Client:
    """A browser's requests to the page, by its host. Writes down all that goes to and fro but the bodies of its POSTs,
    for the search for keys."""

    def __init__(self, scene: Scene, address: str) -> None:
        self._server, self._host = urlsplit(scene.cell.aws_url), urlsplit(address).netloc
        self._traffic: Path = scene.home / "engine" / "page-traffic.log"
        self._cookie = ""

    def ask(self, method: str, path: str, fields: dict[str, Any] | None = None) -> tuple[int, str]:
        headers = {"Host": self._host, "Origin": f"https://{self._host}", "Sec-Fetch-Site": "same-origin"}
        headers |= {"Content-Type": "application/json"} if fields is not None else {}
        headers |= {"Cookie": self._cookie} if self._cookie else {}
        connection = http.client.HTTPConnection(self._server.hostname or "", self._server.port, timeout=120)
        try:
            connection.request(method, path, None if fields is None else json.dumps(fields), headers)
            answer = connection.getresponse()
            self._cookie = (answer.getheader("Set-Cookie") or self._cookie).partition(";")[0]
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        with self._traffic.open("a", encoding="utf-8") as log:
            log.write(f"{method} {path} {headers}\n{answer.status} {answer.getheaders()}\n{text}\n")
        return answer.status, text

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        status, text = self.ask("POST", path, fields)
        if status != 200:
            raise CheckFailed(f"POST {path} was answered with {status}: {text}")
        return json.loads(text)


def _their_key(scene: Scene) -> str:
    """As the customer makes one at OpenAI: on a service account of a project of their own."""
    control = scene.cell.openai
    control.open_customer(_THEIRS)
    admin = control.create_admin_key("the customer's", organization_id=_THEIRS)
    with openai.OpenAI(admin_api_key=admin, base_url=scene.cell.openai_url, max_retries=0) as client:
        projects = client.admin.organization.projects
        project = projects.create(name="the customer's own").id
        account = projects.service_accounts.create(project, name="ours", create_service_account_only=True).id
        projects.service_accounts.update(account, project_id=project, role="member")
        return projects.service_accounts.api_keys.create(account, project_id=project, expires_in_seconds=_DAYS_90).value


def _promote(scene: Scene) -> None:
    """Calls the promoter, as its schedule does each minute."""
    client = scene.client("administrator", "lambda")
    answer = client.invoke(FunctionName=scene.names.function(PROMOTER), Payload=b"{}")
    if "FunctionError" in answer:
        raise CheckFailed(f"a run of the promoter: {answer['Payload'].read().decode()}")


def _objects(scene: Scene) -> dict[str, str]:
    """The objects of the intake, and what tells their contents apart."""
    listed = scene.client("deployer", "s3").list_objects_v2(Bucket=scene.names.connect_bucket)
    return {one["Key"]: one["ETag"] for one in listed.get("Contents", [])}


def _versions(scene: Scene, tenant: str) -> dict[str, Any]:
    described = scene.client("deployer", "secretsmanager").describe_secret(SecretId=scene.names.tenant(tenant).secret)
    return described.get("VersionIdsToStages", {})


def _require(answer: dict[str, Any], field: str, value: object) -> None:
    if answer.get(field) != value:
        raise CheckFailed(f"cell {CELL}'s page: expected `{field}` {value!r}, and got {answer}")
