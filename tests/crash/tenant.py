"""One tenant on a stage: its project, its secret, its rotations, and what must hold whatever happened to them.

Owns starting a rotation as AWS's API does, waiting for its end, and the invariants. Leaves out faults.
"""

from __future__ import annotations

import itertools
import math
import time
import uuid
from typing import Any, Final

from myflux_keys import names
from myflux_keys.payload import Payload
from tests.crash.stage import ATTEMPTS, CELL, MODEL, Stage

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
OVERLAP_HOURS: Final = 24
_OVERLAP_SECONDS: Final = OVERLAP_HOURS * 3600
MOST_KEYS: Final = 4
"""The live one, the previous one, one that the sweep extended, and one more."""
_SLACK: Final = 120
"""Seconds that a slow machine may take from a rotation's last call to a look at its outcome."""
_END_SECONDS: Final = 60.0
_NUMBERS: Final = itertools.count(1)


class Tenant:
    """A new tenant with an empty secret."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.slug = f"t{next(_NUMBERS):05d}-acme"
        self.secrets: Any = stage.secrets
        admin = stage.admin_key
        project = stage.openai("POST", "/organization/projects", admin, {"name": f"myflux-{CELL}-{self.slug}"})
        self.project_id: str = project["id"]
        accounts = f"/organization/projects/{self.project_id}/service_accounts"
        bare = {"name": names.SERVICE_ACCOUNT, "create_service_account_only": True}
        account_id = stage.openai("POST", accounts, admin, bare)["id"]
        self._account = f"{accounts}/{account_id}"
        stage.openai("POST", self._account, admin, {"role": "member"})
        called = stage.names.tenant(self.slug)
        tags = called.tags | {
            names.TAG_PROJECT_ID: self.project_id,
            names.TAG_SERVICE_ACCOUNT_ID: account_id,
            names.TAG_PERMISSION: "restricted",
            names.TAG_MODELS: MODEL,
            names.TAG_EVERY_DAYS: "30",
            names.TAG_OVERLAP_HOURS: str(OVERLAP_HOURS),
        }
        held = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.arn: str = self.secrets.create_secret(Name=called.secret, Tags=held)["ARN"]
        self.were_current: set[str] = set()
        """Ids of keys that have been the live one: those live on for the overlap."""
        self._rotated: Any = None
        self.abandoned: set[str] = set()
        """Ids of keys of rotations that somebody stopped: the next rotation leaves them the overlap at most."""

    def start_rotation(self, **parameters: Any) -> str:
        """RotateSecret, past the proxies; its token. A schedule so slow that no other rotation comes in between."""
        self._note_current()
        rules = {"RotationRules": {"AutomaticallyAfterDays": 1000}}
        function = self.stage.names.rotation_function_arn
        asked = {"SecretId": self.arn, "RotationLambdaARN": function, **rules, **parameters}
        return self.secrets.rotate_secret(**asked)["VersionId"]

    def rotate(self, token: str | None = None) -> list[str]:
        """One rotation to its end. Returns why invocations failed; AWS has given up when there are ATTEMPTS of them."""
        self.stage.function.forget()
        # AWS shows no date while rotation is off.
        before = self.describe().get("LastRotatedDate") or self._rotated
        self.start_rotation(ClientRequestToken=token or str(uuid.uuid4()))
        self._await_end(before)
        return list(self.stage.function.failures)

    def mint_unseen(self, token: str) -> None:
        """A key as the rotation `token` would make it, whose value is thrown away: what a crash leaves behind."""
        life = (30 + 1 + 3) * 86_400
        asked = {"name": names.key_name(CELL, self.slug, token), "scopes": [], "expires_in_seconds": life}
        self.stage.openai("POST", f"{self._account}/api_keys", self.stage.admin_key, asked)

    def _await_end(self, rotated_before: Any) -> None:
        """Looks after each step, and more often after the last one, when AWS has yet to note the date."""
        function, end = self.stage.function, time.monotonic() + _END_SECONDS
        while (rotated := self.describe().get("LastRotatedDate")) == rotated_before:
            if len(function.failures) >= ATTEMPTS:
                return
            if time.monotonic() > end:
                raise AssertionError(f"the rotation did not end in {_END_SECONDS:.0f} s: {function.steps}")
            function.ended.wait(0.02 if function.steps[-1:] == ["finishSecret"] else 0.25)
            function.ended.clear()
        self._rotated = rotated

    def abandon(self) -> None:
        """Notes the keys of a rotation that was stopped: all that are not the live one, nor were before."""
        current = self.current()
        self._note_current()
        held = self.were_current | ({current.key_id} if current else set())
        self.abandoned |= set(self.lives()) - held

    def describe(self) -> dict[str, Any]:
        return self.secrets.describe_secret(SecretId=self.arn)

    def labels(self) -> dict[str, str]:
        """Version by label."""
        stages: dict[str, list[str]] = self.describe().get("VersionIdsToStages", {})
        found = [(label, version) for version, labels in stages.items() for label in labels]
        assert len(found) == len(dict(found)), f"a label sits on two versions: {stages}"
        return dict(found)

    def payload(self, version: str) -> Payload:
        answer = self.secrets.get_secret_value(SecretId=self.arn, VersionId=version)
        return Payload.from_json(answer["SecretString"])

    def current(self) -> Payload | None:
        version = self.labels().get(CURRENT)
        return None if version is None else self.payload(version)

    def _note_current(self) -> None:
        held = self.current()
        if held is not None:
            self.were_current.add(held.key_id)

    def outage(self) -> str | None:
        """What is wrong for a reader right now, in the middle of whatever happens; None when nothing is."""
        held = self.current()
        if held is not None and not self.stage.accepts(held.api_key):
            return f"OpenAI refuses {held.key_id}, which is {CURRENT}"
        endless = [key_id for key_id, life in self.lives().items() if life == math.inf]
        return f"keys without an expiry: {endless}" if endless else None

    def broken(self) -> list[str]:
        """The invariants that don't hold after a rotation has ended; [] is what we want."""
        labels = self.labels()
        if CURRENT not in labels:
            return [f"no version is {CURRENT}"]
        found: list[str] = []
        if labels.get(PENDING) not in (None, labels[CURRENT]):
            found.append(f"{PENDING} is stuck on a version that is not {CURRENT}")
        current = self.payload(labels[CURRENT])
        if not self.stage.accepts(current.api_key):
            found.append(f"OpenAI refuses {current.key_id}, which is {CURRENT}")
        lives = self.lives()
        if PREVIOUS in labels:
            life = lives.get(self.payload(labels[PREVIOUS]).key_id, 0.0)
            if life < _OVERLAP_SECONDS - _SLACK:
                found.append(f"the key that is {PREVIOUS} dies in {life:.0f} s, within its overlap")
        if sum(life > 2 for life in lives.values()) > MOST_KEYS:
            found.append(f"{len(lives)} keys live")
        return found + self._strays(lives, current.key_id)

    def lives(self) -> dict[str, float]:
        """Seconds that each live key of the project has left, by id; for ever is infinity."""
        now = self.stage.control.now()
        keys = self.stage.control.live_keys(self.project_id)
        return {key.id: math.inf if key.expires_at is None else key.expires_at - now for key in keys}

    def _strays(self, lives: dict[str, float], current_id: str) -> list[str]:
        found: list[str] = []
        for key_id, life in lives.items():
            was_current = key_id in self.were_current | self.abandoned
            if key_id != current_id and life > (_OVERLAP_SECONDS + _SLACK if was_current else 2):
                holder = "an old key, past its overlap" if was_current else "nobody holds it"
                found.append(f"{key_id} lives for {life:.0f} s: {holder}")
        return found
