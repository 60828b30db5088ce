"""A cell's admin key in a world of its own: an OpenAI emulator, the admin secret, and a driver for its rotation."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.admin_rotation import handler
from functions.admin_rotation.proof import CandidateKey
from functions.shared.admin_key import AdminKey
from functions.shared.admin_keys import AdminKeyRecord, list_admin_keys
from functions.shared.environment import Environment
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from local.openai.control import EmulatorControl
from myflux_keys import names
from myflux_keys.payload import SecretText
from tests.functions.fake_secrets import CURRENT, PENDING, FakeSecrets
from tests.functions.world import STEPS, Killed, Time

CELL = "local"
SECRET = f"myflux-admin/{CELL}/openai"
DAY = 86_400


class AdminSecrets(FakeSecrets):
    """The admin secret alone, found by name and by ARN. It changes when OpenAI's clock says so."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(admin_key="")
        self.name = SECRET
        self.changed_at = now()
        self._now = now

    def _run(self, operation: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        def changing() -> dict[str, Any]:
            answer = work()
            if operation in ("PutSecretValue", "UpdateSecretVersionStage"):
                self.changed_at = self._now()
            return answer

        return super()._run(operation, changing)

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        assert SecretId in (self.arn, self.name)
        told = super().describe_secret(SecretId=self.arn)
        return told | {"LastChangedDate": datetime.fromtimestamp(self.changed_at, UTC)}

    def get_secret_value(self, *, SecretId: str, VersionId: str | None = None) -> dict[str, Any]:  # noqa: N803
        assert SecretId in (self.arn, self.name)
        return super().get_secret_value(SecretId=self.arn, VersionId=VersionId)


class AdminWorld:
    """The organization at `url`. A person has stored a first key, unless `first_key` is False."""

    def __init__(
        self, url: str, control: EmulatorControl, monkeypatch: pytest.MonkeyPatch, *, first_key: bool = True
    ) -> None:
        self.url = url
        self.control = control
        self.environment = Environment(CELL, SECRET, url, "org-local")
        self.secrets = AdminSecrets(self.now)
        self.secrets.tags = {names.TAG_EVERY_DAYS: "90", names.TAG_OVERLAP_HOURS: "24"}
        self.time = Time()
        self.openai_calls: list[str] = []
        self.on_openai: Callable[[str, str], None] = lambda moment, call: None
        self.observer = SecretText(control.create_admin_key("the test's own"))
        if first_key:
            self.first = control.create_admin_key("made by hand")
            self.secrets.put_by_hand("by-hand", self.first)
        self.restart()
        world = self

        class Watched(OpenAIHTTP):
            def send(self, method: str, path: str, *rest: Any, **named: Any) -> dict[str, Any]:
                world.on_openai("before", f"{method} {path}")
                world.openai_calls.append(f"{method} {path}")
                try:
                    return super().send(method, path, *rest, **named)
                finally:
                    world.on_openai("after", f"{method} {path}")

        monkeypatch.setattr(handler, "OpenAIHTTP", Watched)

    def now(self) -> float:
        return self.control.now()

    def restart(self) -> None:
        """A cold start: the admin key in memory is gone."""
        self.kept = handler.Warm(
            client=self.secrets,  # type: ignore[arg-type]
            admin_key=AdminKey(self.secrets, SECRET),  # type: ignore[arg-type]
        )

    def step(self, step: str, token: str, **event: Any) -> dict[str, Any]:
        told = {"Step": step, "SecretId": self.secrets.arn, "ClientRequestToken": token, **event}
        return handler.run(told, self.environment, self.kept, self.time.deadline())

    def tidy(self) -> dict[str, Any]:
        return handler.run({"action": "tidy"}, self.environment, self.kept, self.time.deadline())

    def rotate(self, token: str | None = None, *, attempts: int = 1) -> str:
        """RotateSecret and the four calls, the whole repeated with the same token while a step fails."""
        token = token or str(uuid.uuid4())
        self.secrets.begin_rotation(token)
        for attempt in range(1, attempts + 1):
            try:
                for step in STEPS:
                    self.step(step, token)
            except (Exception, Killed):
                if attempt == attempts:
                    raise
                self.restart()
            else:
                return token
        raise AssertionError("unreachable")

    def live(self) -> dict[str, AdminKeyRecord]:
        """Admin keys that live, by id, but the test's own: as OpenAI lists them to it."""
        deadline = self.time.deadline()
        now = self.now()
        listed = list_admin_keys(AdminAPI(OpenAIHTTP(self.url, deadline), CandidateKey(self.observer), deadline))
        return {
            key.id: key
            for key in listed
            if key.name != "the test's own" and (key.expires_at is None or key.expires_at > now)
        }

    def current(self) -> SecretText:
        value = self.secrets.values[self.secrets.labels[CURRENT]]
        assert value is not None
        return SecretText(value)

    def accepted(self, key: SecretText) -> bool:
        try:
            OpenAIHTTP(self.url, self.time.deadline()).send("GET", "/organization/projects", key)
        except OpenAIError:
            return False
        return True

    def check(self, token: str) -> None:
        """What must hold after every rotation, whatever happened on the way."""
        labels = self.secrets.labels
        assert labels[CURRENT] == token, "the version of this rotation is the live one"
        assert labels.get(PENDING) in (None, token), "AWSPENDING elsewhere would make every later rotation fail"
        assert self.accepted(self.current()), "OpenAI accepts the key that is AWSCURRENT"
        ours = [key for key in self.live().values() if key.name == names.admin_key_name(CELL, token)]
        assert len(ours) == 1, "one live key bears this rotation's name: no second one that nobody holds"
        assert all(key.expires_at is not None for key in self.live().values() if key.name.startswith("myflux-")), (
            "what we made dies by itself"
        )
