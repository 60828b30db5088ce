"""A rotated key's way into CINNOX: a person with a second factor copies it from the page, and confirms."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from demo.report import CheckFailed, Report
from demo.scene import Scene
from functions.shared.handover import Handover, object_name
from myflux_keys.consumers import PASTED
from ops.cli.options import ROOT

_CONSUMER = "cinnox"
_SETTLED = 3700
"""Seconds after which a use of the old key by a reader's cache is over, and its use can be judged."""
_NEXT_CODE = 30


def cinnox_handover(scene: Scene, report: Report) -> str:
    """Rotates the tenant's key, hands the new one over, and sees that the old one may end."""
    tenant = next(slug for slug in scene.managed if PASTED[_CONSUMER] in scene.fleet.tenants[slug].consumers.used)
    scene.command("rotate", tenant, "--wait", "--yes", "--reason", "for the hand-over")
    live = scene.reader.get(tenant, fresh=True)
    told = _hand_over(scene, tenant, live.reveal())
    if (told["recorded"], told["state"]) != (True, "saved") or told["old_key"] is None:
        raise CheckFailed(f"after the confirmation: {told}")
    record = _record(scene, tenant)
    if (record.key_id, record.version_id) != (live.key_id, live.version_id):
        raise CheckFailed(f"the record is of the key {record.key_id}, and the live one is {live.key_id}")
    old = told["old_key"]["id"]
    scene.cell.advance(_SETTLED)
    swept: dict[str, Any] = json.loads(scene.command("sweep", tenant, "--dry-run", "--json"))
    (found,) = (one for one in swept["cells"][0]["plan"] if one["key_id"] == old)
    if not found["reason"].startswith(f"handed over to {_CONSUMER} and unused since"):
        raise CheckFailed(f"of the old key the sweep says: {found['reason']}")
    report.figures["keys_handed_over"] = 1
    return (
        f"{tenant}'s new key: read with MFA, copied from the page, confirmed, recorded; the old one is unused and ends"
    )


def _hand_over(scene: Scene, tenant: str, key: str) -> dict[str, Any]:
    """What the command says after the page's way was gone to its end."""
    with _running(scene, tenant) as process:
        page = _Page(scene, _link(process))
        page.open()
        if page.key() != key:
            raise CheckFailed("the page gives another key than the live one")
        page.post("/copied")
        page.post("/saved", test="worked")
        out, said = process.communicate(timeout=120)
    with (scene.home / "engine" / "commands.log").open("a", encoding="utf-8") as log:
        log.write(out + said)
    if process.returncode != 0:
        raise CheckFailed(f"myflux-keys handover {tenant}: {said.strip()}")
    return json.loads(out)


@contextmanager
def _running(scene: Scene, tenant: str) -> Generator[subprocess.Popen[str]]:
    scene.cell.advance(_NEXT_CODE)
    command = [sys.executable, "-m", "ops.cli", "handover", tenant, "--consumer", _CONSUMER, "--no-browser", "--json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdin
            process.stdin.write(f"{scene.cell.second_factor()[1]}\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()


def _link(process: subprocess.Popen[str]) -> str:
    assert process.stderr
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("http://127.0.0.1:"):
            return line.strip()
    raise CheckFailed(f"the command ended without a page: {''.join(said).strip()}")


class _Page:
    """A browser's requests to the page. Writes down all that goes to and fro but the one answer with the key."""

    def __init__(self, scene: Scene, link: str) -> None:
        address = urlsplit(link)
        self._host, self._token, self._tab = address.netloc, address.fragment, ""
        self._traffic: Path = scene.home / "engine" / "handover-traffic.log"

    def open(self) -> None:
        self._tab = self.post("/open", token=self._token)["tab"]

    def key(self) -> str:
        return self._ask("/key", {})["key"]

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        answer = self._ask(path, fields)
        with self._traffic.open("a", encoding="utf-8") as log:
            log.write(f"{path} {fields}\n{answer}\n")
        return answer

    def _ask(self, path: str, fields: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "Origin": f"http://{self._host}",
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/json",
            "X-Tab": self._tab,
        }
        connection = http.client.HTTPConnection(self._host, timeout=120)
        try:
            connection.request("POST", path, json.dumps(fields), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise CheckFailed(f"POST {path} was answered with {answer.status}")
        return json.loads(text)


def _record(scene: Scene, tenant: str) -> Handover:
    name = object_name(tenant, _CONSUMER)
    stored = scene.client("deployer", "s3").get_object(Bucket=scene.names.health_bucket, Key=name)
    return Handover.read(stored["Body"].read().decode(), name)
