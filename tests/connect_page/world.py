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
from myflux_keys.payload import iso
from tests.connect_page.serving import Served

CELL = "pages"
MODELS = ("gpt-6-luna", "gpt-5.4-mini")
_TENANTS = itertools.count(1)
_DECISIONS = itertools.count(1)


class Intake:
    """Bucket and keys; the operator's and the promoter's sides of it."""

    def __init__(self, cell: LocalCell) -> None:
        self.cell = cell
        self.s3, self.kms = cell.client("administrator", "s3"), cell.client("administrator", "kms")
        self.bucket = "myflux-pages-intake"
        self.s3.create_bucket(Bucket=self.bucket)
        self.link_key: str = self.kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"][
            "Arn"
        ]
        self.intake_key: str = self.kms.create_key()["KeyMetadata"]["Arn"]

    def close(self) -> None:
        self.s3.close()
        self.kms.close()

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
        return self.kms.generate_mac(KeyId=self.link_key, MacAlgorithm=MAC_ALGORITHM, Message=content)["Mac"]

    def objects(self, prefix: str = "") -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return sorted(one["Key"] for one in found)

    def put(self, key: str, text: str) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())

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

    def take(self, reason: str) -> None:
        """The promoter refuses the key, and then ends its copy."""
        self.decide("refused", reason)
        self.intake.s3.delete_object(Bucket=self.intake.bucket, Key=self.place.handed_in)

    def seen(self) -> dict[str, Any]:
        return json.loads(self.intake.s3.get_object(Bucket=self.intake.bucket, Key=self.place.seen)["Body"].read())

    def handed_in(self) -> HandedIn | None:
        """Decrypted as the promoter does it. None: nothing was handed in."""
        if self.place.handed_in not in self.intake.objects("handed-in/"):
            return None
        stored = self.intake.s3.get_object(Bucket=self.intake.bucket, Key=self.place.handed_in)["Body"].read()
        plain = self.intake.kms.decrypt(CiphertextBlob=stored, EncryptionContext=self.place.context)["Plaintext"]
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
