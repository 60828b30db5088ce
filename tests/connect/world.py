"""Connect as its parts meet it: AWS and OpenAI of a local cell, over HTTP.

The promoter runs in this process with an administrator's rights.
"""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from functions.promoter.handler import assemble, run
from functions.promoter.services import Services
from functions.promoter.settings import Settings
from functions.shared import link as links
from functions.shared.deadline import Deadline
from functions.shared.environment import Environment
from functions.shared.intake import Confirmed, HandedIn, Issued, Outcome, Place
from functions.shared.link import Link
from local.cell import LocalCell
from myflux_keys import names
from myflux_keys.payload import Payload, SecretText
from tests.customer_key.theirs import TheirOpenAI

CELL = "local"
MODEL, OTHER_MODEL = "gpt-6-luna", "gpt-5.4-mini"
_NUMBERS = itertools.count(1)


class Killed(BaseException):
    """The function's process is gone: nothing of it runs on, no handler for errors either."""


class Cell:
    """What the tests of this folder share: the bucket, the two KMS keys, and an administrator's clients."""

    def __init__(self, local: LocalCell) -> None:
        self.local = local
        self.s3, self.kms, self.secrets = (
            local.client("administrator", one) for one in ("s3", "kms", "secretsmanager")
        )
        local.openai.settings(admin_requests_per_minute=0)
        self.bucket = f"myflux-connect-{CELL}-{local.account_id}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.intake_key = self.kms.create_key()["KeyMetadata"]["Arn"]
        mac = self.kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        self.link_key = mac["KeyMetadata"]["Arn"]

    def close(self) -> None:
        for client in (self.s3, self.kms, self.secrets):
            client.close()

    def settings(self) -> Settings:
        common = Environment(CELL, names.admin_secret(CELL), self.local.openai_url, "org-local")
        return Settings(common, self.bucket, self.intake_key, self.link_key)


class World:
    """One tenant with an empty secret, and its customer with a project in an organization of their own."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.tenant = f"t{next(_NUMBERS):04d}-acme"
        self.theirs = TheirOpenAI(cell.local, self.tenant)
        self.organization = self.theirs.organization
        self.secret = names.secret_name(CELL, self.tenant)
        cell.secrets.create_secret(Name=self.secret)
        self.ahead = 0.0

    def issue(self, tenant: str | None = None, **changes: Any) -> tuple[Link, str]:
        """A link that a person made, and its token."""
        now = int(time.time())
        made = Link(CELL, tenant or self.tenant, uuid.uuid4().hex, now, now + links.DEFAULT_SECONDS, "es")
        made = replace(made, **changes)
        issued = Issued(
            made.tenant,
            "Acmé Travel",
            (MODEL, OTHER_MODEL),
            made.language,
            made.issued,
            made.expires,
            "arn:aws:iam::1:a",
        )
        self.put(Place.of(made).link, issued.to_json().encode())
        return made, self.sign(made)

    def sign(self, made: Link) -> str:
        message = links.message(made)
        mac = self.cell.kms.generate_mac(KeyId=self.cell.link_key, Message=message, MacAlgorithm=links.MAC_ALGORITHM)
        return links.token(made, mac["Mac"])

    def hand_in(self, place: Place, token: str, key: str, context: dict[str, str] | None = None) -> None:
        """As the page does: the first one wins."""
        encrypted = self.cell.kms.encrypt(
            KeyId=self.cell.intake_key,
            Plaintext=HandedIn(token, SecretText(key)).to_json().encode(),
            EncryptionContext=context or place.context,
        )
        self.cell.s3.put_object(
            Bucket=self.cell.bucket, Key=place.handed_in, Body=encrypted["CiphertextBlob"], IfNoneMatch="*"
        )

    def saved(self, key: str, **changes: Any) -> Place:
        """A key that was handed in by a link of this tenant's."""
        made, token = self.issue(**changes)
        self.hand_in(Place.of(made), token, key)
        return Place.of(made)

    def confirm(self, place: Place, organization: str | None = None) -> None:
        told = self.organization if organization is None else organization
        self.put(place.confirmed, Confirmed(told, place.id, "arn:aws:iam::1:user/ann", "now").to_json().encode())

    def key(self, **changes: Any) -> str:
        return self.theirs.key(**changes)[1]

    def persons_key(self) -> str:
        """A key of a user, as OpenAI's site makes it."""
        return self.cell.local.openai.create_user_key(self.theirs.project)

    def services(self, deadline: Deadline | None = None) -> Services:
        cell = self.cell
        made = assemble(
            cell.settings(), cell.s3, cell.kms, cell.secrets, deadline or Deadline(300, sleep=lambda _: None)
        )
        made.wall = lambda: time.time() + self.ahead
        return made

    def promote(self, *places: Place) -> dict[str, int]:
        """Of this tenant's, unless `places` are given."""
        services = self.services()
        return run(services, places or [one for one in services.intake.places() if one.tenant == self.tenant])

    def put(self, key: str, body: bytes) -> None:
        self.cell.s3.put_object(Bucket=self.cell.bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes | None:
        try:
            return self.cell.s3.get_object(Bucket=self.cell.bucket, Key=key)["Body"].read()
        except self.cell.s3.exceptions.NoSuchKey:
            return None

    def outcome(self, place: Place) -> Outcome | None:
        text = self.get(place.outcome)
        return Outcome.from_json(text.decode()) if text else None

    def lies_in_intake(self, place: Place) -> bool:
        return self.get(place.handed_in) is not None

    def versions(self) -> dict[str, list[str]]:
        answer = self.cell.secrets.list_secret_version_ids(SecretId=self.secret, IncludeDeprecated=True)
        return {one["VersionId"]: one.get("VersionStages", []) for one in answer["Versions"]}

    def live(self) -> Payload | None:
        try:
            answer = self.cell.secrets.get_secret_value(SecretId=self.secret)
        except self.cell.secrets.exceptions.ResourceNotFoundException:
            return None
        return Payload.from_json(answer["SecretString"])

    def openai_calls(self) -> int:
        return len(self.cell.local.openai.calls())

    @contextmanager
    def killed_at(self, call: int, moment: str) -> Generator[list[str]]:
        """The function dies ``before`` or ``after`` its call of that number, from 0. Yields the calls made."""
        made: list[str] = []

        def watch(event_name: str, **_: Any) -> None:
            made.append(event_name.removeprefix("before-call."))
            if len(made) - 1 == call and moment == "before":
                raise Killed

        def after(**_: Any) -> None:
            if len(made) - 1 == call and moment == "after":
                raise Killed

        clients = (self.cell.s3, self.cell.kms, self.cell.secrets)
        hooks: list[tuple[str, Callable[..., None]]] = [("before-call", watch), ("after-call", after)]
        for client in clients:
            for name, hook in hooks:
                client.meta.events.register(name, hook)
        try:
            yield made
        finally:
            for client in clients:
                for name, hook in hooks:
                    client.meta.events.unregister(name, hook)
