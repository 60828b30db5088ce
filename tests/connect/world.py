"""Connect as its parts meet it: AWS and OpenAI of a local cell, over HTTP.

Page and promoter work with the rights that their roles have by the documents that ship, a person with a deployer's.
"""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import boto3
from botocore.config import Config

from components.iam import connect, identity, resource
from components.iam.connect import promoting, taking_in
from components.iam.statements import document
from functions.promoter.handler import assemble, run
from functions.promoter.services import Services
from functions.promoter.settings import Settings
from functions.shared import link as links
from functions.shared.deadline import Deadline
from functions.shared.environment import Environment
from functions.shared.intake import Confirmed, HandedIn, Issued, Outcome, Place
from functions.shared.link import Link
from local.cell import LocalCell
from myflux_keys import KeyReader, NotReadyError, names
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import CONNECT, PROMOTER, CellFunction
from myflux_keys.key import Key
from myflux_keys.payload import SecretText
from tests.customer_key.theirs import TheirOpenAI

CELL = "local"
MODEL, OTHER_MODEL = "gpt-6-luna", "gpt-5.4-mini"
_NUMBERS = itertools.count(1)


class Killed(BaseException):
    """The function's process is gone: nothing of it runs on, no handler for errors either."""


class Clients:
    """Of one user or role."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self.kms, self.s3, self.secrets = (client(one) for one in ("kms", "s3", "secretsmanager"))

    def all(self) -> list[Any]:
        return [self.kms, self.s3, self.secrets]


class Cell:
    """What the tests of this folder share: the intake with its keys, roles, and clients of each."""

    def __init__(self, local: LocalCell) -> None:
        self.local = local
        local.openai.settings(admin_requests_per_minute=0)
        self.names = CellNames(CELL, local.account_id, local.region)
        self.deployer = f"arn:aws:iam::{local.account_id}:user/deployer"
        self.admin = {one: local.client("administrator", one) for one in ("iam", "kms", "s3", "secretsmanager", "sts")}
        runtime = f"arn:aws:iam::{local.account_id}:user/runtime"
        self.role(
            self.names.runtime_role,
            identity.runtime_trust([runtime], identity.any_tenant()),
            identity.runtime_read(self.names),
        )
        self.page = self._function(CONNECT, taking_in(self.names))
        self.promoter = self._function(PROMOTER, promoting(self.names))
        self.bucket = self.names.connect_bucket
        self.admin["s3"].create_bucket(Bucket=self.bucket)
        policy = connect.connect_bucket(self.names, deployers=[self.deployer], tls=False)
        self.admin["s3"].put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))
        self.intake_key = self._key(connect.intake_key(self.names), self.names.intake_kms_alias)
        self.link_key = self._key(
            connect.link_key(self.names, deployers=[self.deployer]),
            self.names.link_kms_alias,
            KeySpec="HMAC_256",
            KeyUsage="GENERATE_VERIFY_MAC",
        )
        promoter = self.names.function_role_arn(PROMOTER)
        pattern = [self.names.tenant_secrets_arn_pattern]
        self.secrets_key = self._key(
            resource.secrets_key(
                self.names,
                users=[self.names.runtime_role_arn, promoter],
                deployers=[self.deployer],
                secrets=pattern,
                admin_key=False,
                customers=pattern,
            ),
            self.names.kms_alias,
        )
        self.person = Clients(partial(local.client, "deployer"))

    def role(self, name: str, trust: dict[str, Any], permissions: dict[str, Any]) -> None:
        self.admin["iam"].create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        self.admin["iam"].put_role_policy(
            RoleName=name, PolicyName="permissions", PolicyDocument=json.dumps(permissions)
        )

    def _function(self, function: CellFunction, statements: list[dict[str, Any]]) -> Clients:
        """Clients with the rights of a function's role, which the administrator may become too."""
        who = {"AWS": f"arn:aws:iam::{self.local.account_id}:user/administrator", "Service": "lambda.amazonaws.com"}
        trust = document({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"})
        self.role(self.names.function(function), trust, document(*statements))
        arn = self.names.function_role_arn(function)
        held = self.admin["sts"].assume_role(RoleArn=arn, RoleSessionName="tests")["Credentials"]
        session = boto3.Session(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"], self.local.region)
        straight = {"endpoint_url": self.local.aws_url, "config": Config(proxies={})}
        return Clients(lambda service: session.client(service, **straight))  # type: ignore[call-overload]

    def _key(self, policy: dict[str, Any], alias: str, **more: Any) -> str:
        made = self.admin["kms"].create_key(Policy=json.dumps(policy), **more)["KeyMetadata"]
        self.admin["kms"].create_alias(AliasName=alias, TargetKeyId=made["KeyId"])
        return made["Arn"]

    def close(self) -> None:
        for clients in (list(self.admin.values()), self.page.all(), self.promoter.all(), self.person.all()):
            for client in clients:
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
        called = cell.names.tenant(self.tenant)
        tags = [{"Key": name, "Value": value} for name, value in called.tags.items()]
        cell.person.secrets.create_secret(Name=self.secret, KmsKeyId=cell.secrets_key, Tags=tags)
        policy = resource.tenant_secret(
            called,
            reader_role=cell.names.runtime_role_arn,
            writers=[cell.deployer, cell.names.function_role_arn(PROMOTER)],
            deployers=[cell.deployer],
            enabled=True,
        )
        cell.person.secrets.put_resource_policy(SecretId=self.secret, ResourcePolicy=json.dumps(policy))
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
        mac = self.cell.person.kms.generate_mac(
            KeyId=self.cell.link_key, Message=message, MacAlgorithm=links.MAC_ALGORITHM
        )
        return links.token(made, mac["Mac"])

    def hand_in(self, place: Place, token: str, key: str, context: dict[str, str] | None = None) -> None:
        """As the page does: the first one wins."""
        encrypted = self.cell.page.kms.encrypt(
            KeyId=self.cell.intake_key,
            Plaintext=HandedIn(token, SecretText(key)).to_json().encode(),
            EncryptionContext=context or place.context,
        )
        self.cell.page.s3.put_object(
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
        its, until = self.cell.promoter, deadline or Deadline(300, sleep=lambda _: None)
        made = assemble(self.cell.settings(), its.s3, its.kms, its.secrets, until)
        made.wall = lambda: time.time() + self.ahead
        return made

    def promote(self, *places: Place) -> dict[str, int]:
        """Of this tenant's, unless `places` are given."""
        services = self.services()
        return run(services, places or [one for one in services.intake.places() if one.tenant == self.tenant])

    def put(self, key: str, body: bytes) -> None:
        """As a person."""
        self.cell.person.s3.put_object(Bucket=self.cell.bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes | None:
        """As the promoter."""
        store = self.cell.promoter.s3
        try:
            return store.get_object(Bucket=self.cell.bucket, Key=key)["Body"].read()
        except store.exceptions.NoSuchKey:
            return None

    def outcome(self, place: Place) -> Outcome | None:
        text = self.get(place.outcome)
        return Outcome.from_json(text.decode()) if text else None

    def lies_in_intake(self, place: Place) -> bool:
        return self.get(place.handed_in) is not None

    def versions(self) -> dict[str, list[str]]:
        answer = self.cell.person.secrets.list_secret_version_ids(SecretId=self.secret, IncludeDeprecated=True)
        return {one["VersionId"]: one.get("VersionStages", []) for one in answer["Versions"]}

    def live(self) -> Key | None:
        """What the application reads."""
        session = self.cell.local.session("runtime")
        with KeyReader(CELL, session=session, role_arn=self.cell.names.runtime_role_arn) as reader:
            try:
                return reader.get(self.tenant)
            except NotReadyError:
                return None

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

        clients = self.cell.promoter.all()
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
