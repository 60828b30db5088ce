"""A cell with links as the page function meets it: S3 and KMS of a local cell, and an OpenAI account."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from functions.connect import settings
from functions.shared import environment
from functions.shared.intake import HandedIn, Issued, Outcome, Place
from functions.shared.link import MAC_ALGORITHM, Link, message, token
from local.cell import LocalCell
from myflux_keys.cell_functions import CONNECT
from myflux_keys.payload import iso
from tests.connect.world import CELL, Cell
from tests.connect_page.serving import Served

MODELS = ("gpt-6-luna", "gpt-5.4-mini")
_TENANTS = itertools.count(1)
_DECISIONS = itertools.count(1)


class Intake:
    """The bucket and the keys, each used by whom it is for: a person issues links, the promoter takes and decides."""

    def __init__(self, cell: LocalCell) -> None:
        self.cell, self.shared = cell, Cell(cell)
        self.bucket, self.link_key, self.intake_key = self.shared.bucket, self.shared.link_key, self.shared.intake_key
        self.person, self.page, self.promoter = self.shared.person, self.shared.page, self.shared.promoter

    def close(self) -> None:
        self.shared.close()

    def credentials(self) -> dict[str, str]:
        """Of the page function's role, as Lambda gives them to it."""
        role = self.shared.names.function_role_arn(CONNECT)
        held = self.shared.admin["sts"].assume_role(RoleArn=role, RoleSessionName="connect")["Credentials"]
        names = {"AWS_ACCESS_KEY_ID": "AccessKeyId", "AWS_SECRET_ACCESS_KEY": "SecretAccessKey"}
        return {name: held[one] for name, one in (names | {"AWS_SESSION_TOKEN": "SessionToken"}).items()}

    @property
    def variables(self) -> dict[str, str]:
        """Of the function."""
        return {
            environment.CELL: CELL,
            environment.BASE_URL: self.cell.openai_url,
            settings.BUCKET: self.bucket,
            settings.INTAKE_KEY: self.intake_key,
            settings.LINK_KEY: self.link_key,
        }

    def sign(self, content: bytes) -> bytes:
        return self.person.kms.generate_mac(KeyId=self.link_key, MacAlgorithm=MAC_ALGORITHM, Message=content)["Mac"]

    def objects(self, prefix: str = "") -> list[str]:
        found = self.promoter.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return sorted(one["Key"] for one in found)

    def state(self) -> dict[str, str]:
        """Each object with its version: what changes when anything is written."""
        found = self.promoter.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {one["Key"]: one["ETag"] for one in found}

    def version_of(self, key: str) -> str:
        listed = self.promoter.s3.list_objects_v2(Bucket=self.bucket, Prefix=key)["Contents"]
        return next(one["ETag"] for one in listed if one["Key"] == key)

    def put(self, key: str, text: str) -> None:
        """By the one who may write it."""
        writers = {"seen/": self.page, "outcome/": self.promoter}
        writer = next((one for folder, one in writers.items() if key.startswith(folder)), self.person)
        writer.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())

    def issue(
        self, *, issued: int | None = None, expires: int | None = None, language: str = "en", **other: Any
    ) -> Given:
        """A link of a new tenant, as `myflux-keys connect` makes it."""
        begun = issued or int(time.time()) - 5
        link = Link(
            other.get("cell", CELL),
            other.get("tenant", f"hotel-sol-{next(_TENANTS)}"),
            uuid.uuid4().hex,
            begun,
            expires or begun + 24 * 3600,
            language,
        )
        made = token(link, self.sign(message(link)))
        record = Issued(
            link.tenant, "Hotel Sol", MODELS, language, link.issued, link.expires, "arn:aws:iam::1:user/ana"
        )
        self.put(Place.of(link).link, record.to_json())
        return Given(self, link, made)


@dataclass
class Given:
    """A link that was given to a customer."""

    intake: Intake
    link: Link
    token: str

    @property
    def place(self) -> Place:
        return Place.of(self.link)

    def revoke(self) -> None:
        self.intake.put(self.place.revoked, "")

    def decide(self, state: Any, reason: str = "") -> None:
        """What the promoter does. No two decisions are in the same second, since a person is between them."""
        at = iso(int(time.time()) + next(_DECISIONS))
        self.intake.put(self.place.outcome, Outcome(state, at, reason).to_json())

    def end_copy(self) -> None:
        """The promoter ends the ciphertext."""
        self.intake.promoter.s3.delete_object(Bucket=self.intake.bucket, Key=self.place.handed_in)

    def version(self) -> str:
        """Of the ciphertext: what changes when it is written again."""
        return self.intake.version_of(self.place.handed_in)

    def take(self, reason: str) -> None:
        """The promoter refuses the key, and then ends its copy."""
        self.decide("refused", reason)
        self.end_copy()

    def seen(self) -> dict[str, Any]:
        return json.loads(
            self.intake.person.s3.get_object(Bucket=self.intake.bucket, Key=self.place.seen)["Body"].read()
        )

    def handed_in(self) -> HandedIn | None:
        """Decrypted as the promoter does it. None: nothing was handed in."""
        if self.place.handed_in not in self.intake.objects("handed-in/"):
            return None
        promoter = self.intake.promoter
        stored = promoter.s3.get_object(Bucket=self.intake.bucket, Key=self.place.handed_in)["Body"].read()
        plain = promoter.kms.decrypt(CiphertextBlob=stored, EncryptionContext=self.place.context)["Plaintext"]
        return HandedIn.from_json(plain.decode())


class Browser:
    """One browser's requests, with its cookies, as the page makes them."""

    def __init__(self, served: Served, given: Given) -> None:
        self.served, self.given = served, given
        self.cookie = ""

    def post(self, path: str, fields: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any]]:
        sent = {
            "Origin": self.served.url,
            "Content-Type": "application/json",
            "Sec_Fetch_Site": "same-origin",
        } | headers
        if self.cookie:
            sent["Cookie"] = self.cookie
        status, answered, body = self.served.ask("POST", path, json.dumps(fields).encode(), **sent)
        for set_cookie in answered.get_all("Set-Cookie", []):
            self.cookie = set_cookie.split(";")[0]
        return status, json.loads(body)

    def open(self) -> tuple[int, dict[str, Any]]:
        return self.post("/session", {"token": self.given.token})

    def check(self, key: str) -> tuple[int, dict[str, Any]]:
        return self.post("/check", {"link": self.given.link.id, "key": key})

    def save(self, key: str) -> tuple[int, dict[str, Any]]:
        return self.post("/save", {"link": self.given.link.id, "key": key})

    def state(self) -> tuple[int, dict[str, Any]]:
        return self.post("/state", {"link": self.given.link.id})
