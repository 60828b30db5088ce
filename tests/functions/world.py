"""A tenant's world for the functions' tests: an OpenAI emulator, a secret, and a driver that plays Secrets Manager."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.provisioner.handler import carry_out
from functions.provisioner.request import read_request
from functions.rotation import handler
from functions.rotation.memory import Memory
from functions.shared.admin_key import AdminKey
from functions.shared.deadline import Deadline
from functions.shared.environment import Environment
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from local.openai.control import EmulatorControl, LiveKey
from myflux_keys import names
from myflux_keys.payload import Payload, SecretText
from tests.functions.fake_secrets import CURRENT, PENDING, FakeSecrets

CELL = "local"
FUNCTION = f"arn:aws:lambda:us-east-1:000000000000:function:myflux-{CELL}-provisioner"
MODEL = "gpt-5-mini"
OVERLAP = 24 * 3600
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_NUMBERS = itertools.count(1)


class Killed(BaseException):
    """The function's process is gone: nothing of it runs on, no handler for errors either."""


@dataclass
class Time:
    """The machine's clock, in which waiting costs nothing unless `patient`. `slept` is every wait, in seconds."""

    ahead: float = 0.0
    patient: bool = False
    slept: list[float] = field(default_factory=list[float])

    def now(self) -> float:
        return time.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.patient:
            time.sleep(seconds)
        else:
            self.ahead += seconds

    def deadline(self, seconds: float = 300.0) -> Deadline:
        return Deadline(seconds, monotonic=self.now, sleep=self.sleep)


class World:
    """One tenant on the emulator at `url`, with an empty secret whose rotation is on."""

    def __init__(
        self,
        url: str,
        control: EmulatorControl,
        monkeypatch: pytest.MonkeyPatch,
        *,
        first_is_current: bool = True,
        permission: str = "restricted",
    ) -> None:
        self.url = url
        self.control = control
        self.tenant = f"t{next(_NUMBERS):04d}-acme"
        self.environment = Environment(CELL, f"myflux-admin/{CELL}/openai", url, "org-local")
        self.secrets = FakeSecrets(control.create_admin_key(), first_is_current=first_is_current)
        self.time = Time()
        self.openai_calls: list[str] = []
        self.on_openai: Callable[[str, str], None] = lambda moment, call: None
        self.restart()
        world = self

        class Watched(OpenAIHTTP):
            def send(self, method: str, path: str, *rest: Any, **named: Any) -> dict[str, Any]:
                world.on_openai("before", f"{method} {path}")
                world.openai_calls.append(f"{method} {path}")
                answer = super().send(method, path, *rest, **named)
                world.on_openai("after", f"{method} {path}")
                return answer

        monkeypatch.setattr(handler, "OpenAIHTTP", Watched)
        made = self.provision("create")
        self.project_id, self.account_id = made["project_id"], made["service_account_id"]
        self.secrets.name = names.secret_name(CELL, self.tenant)
        self.secrets.tags = {
            names.TAG_TENANT: self.tenant,
            names.TAG_CELL: CELL,
            names.TAG_MANAGED_BY: names.MANAGED_BY,
            names.TAG_PROJECT_ID: self.project_id,
            names.TAG_SERVICE_ACCOUNT_ID: self.account_id,
            names.TAG_PERMISSION: permission,
            names.TAG_MODELS: f"{MODEL} gpt-5",
            names.TAG_EVERY_DAYS: "30",
            names.TAG_OVERLAP_HOURS: "24",
        }

    def restart(self) -> None:
        """A cold start: what the function had in memory is gone."""
        self.kept = handler.Warm(
            client=self.secrets,  # type: ignore[arg-type]
            admin_key=AdminKey(self.secrets, self.environment.admin_secret),  # type: ignore[arg-type]
            memory=Memory(),
        )

    def api(self) -> AdminAPI:
        deadline = self.time.deadline()
        return AdminAPI(OpenAIHTTP(self.url, deadline), self.kept.admin_key, deadline)

    def provision(self, action: str, previous: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """`previous` and `changes` are fields of the input before and of the input now."""
        event = provisioner_input(self.tenant, **changes)
        before = None if previous is None else provisioner_input(self.tenant, **previous)
        event["tf"] = {"action": action, "prev_input": before}
        api = self.api()
        return carry_out(read_request(event, CELL, FUNCTION), self.environment, api, self.time.deadline())

    def step(self, step: str, token: str, **event: Any) -> dict[str, Any]:
        told = {"Step": step, "SecretId": self.secrets.arn, "ClientRequestToken": token, **event}
        return handler.run(told, self.environment, self.kept, self.time.deadline())

    def rotate(self, token: str | None = None, *, attempts: int = 1, cold: bool = False) -> str:
        """RotateSecret and the four calls, the whole repeated with the same token while a step fails."""
        token = token or str(uuid.uuid4())
        self.secrets.begin_rotation(token)
        for attempt in range(1, attempts + 1):
            try:
                for step in STEPS:
                    if cold:
                        self.restart()
                    self.step(step, token)
            except (Exception, Killed):
                if attempt == attempts:
                    raise
                if cold:
                    self.restart()
            else:
                return token
        raise AssertionError("unreachable")

    def payload(self, version: str | None = None) -> Payload:
        value = self.secrets.values[version or self.secrets.labels[CURRENT]]
        assert value is not None
        return Payload.from_json(value)

    def live_keys(self) -> dict[str, LiveKey]:
        return {key.id: key for key in self.control.live_keys(self.project_id)}

    def accepted(self, key: SecretText) -> bool:
        try:
            OpenAIHTTP(self.url, self.time.deadline()).send("GET", f"/models/{MODEL}", key)
        except OpenAIError:
            return False
        return True

    def check(self, token: str, *once_current: str) -> None:
        """What must hold after every rotation, whatever happened on the way. `once_current`: ids of older live keys."""
        labels = self.secrets.labels
        assert labels[CURRENT] == token, "the version of this rotation is the live one"
        assert labels.get(PENDING) in (None, token), "AWSPENDING elsewhere would make every later rotation fail"
        payload = self.payload()
        assert self.accepted(payload.api_key), "OpenAI accepts the key that is AWSCURRENT"
        now = int(self.control.state()["now"])
        lasting = [key for key in self.live_keys().values() if key.expires_at is None or key.expires_at > now + 2]
        assert len(lasting) <= 4, "however often it rotates"
        for key_id, key in self.live_keys().items():
            if key_id == payload.key_id:
                continue
            assert key.expires_at is not None, "a key that is not current has its death on record"
            if key_id in once_current:
                assert key.expires_at <= now + OVERLAP + 5, "an older key lives for the overlap and no longer"
            else:
                assert key.expires_at <= now + 2, f"nobody holds {key.name}, so it must be dead or dying"


def provisioner_input(tenant: str, **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "schema": 1,
        "tenant": tenant,
        "cell": CELL,
        "project": f"myflux-{CELL}-{tenant}",
        "service_account": "myflux-runtime",
        "models": [MODEL, "gpt-5"],
        "rate_limits": {},
        "budget": None,
    }
    return json.loads(json.dumps(base | changes))
