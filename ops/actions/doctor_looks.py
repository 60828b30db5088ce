"""The calls that `doctor` makes of one cell's account: each reads, and none changes anything.

Owns what is asked, and the order of the checks. Leaves out what an answer means (`doctor.py`, `doctor_account.py`). A
call that AWS denies is one check that was not made, and the rest go on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import time
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from components.iam.deployer_trust import Job, deployer_trust, provider_arn
from functions.sweep.trust import DeadTrust, dead_ids
from myflux_keys.cell_functions import ALL_FUNCTIONS, FUNCTIONS, HEALTH, CellFunction
from ops import state_place
from ops.account import Account, time_told
from ops.actions import (
    doctor,
    doctor_account,
    doctor_connect,
    doctor_connect_looks,
    doctor_health,
    doctor_trail,
    doctor_trail_looks,
    functions_client,
)
from ops.actions.doctor import Finding, FunctionSeen, not_checked
from ops.actions.health_memory import memory_of
from ops.actions.history import versions
from ops.actions.trust import readers
from ops.errors import OperationError, explain, none_if_absent
from ops.rotation_state import facts
from tenancy import Cell, Tenant
from tenancy.pipeline import AWS_AUDIENCE

Look = Callable[[], Finding]

_LAST_SLUG: Final = "z" * 32
"""No tenant comes after it: a sweep that continues there asks OpenAI about the admin key, and inspects nobody."""
_PENDING: Final = "PendingConfirmation"


@dataclass
class Looks:
    """The checks of one cell, in their order. What one check has read, later ones use."""

    account: Account
    tenants: Sequence[Tenant]
    is_in_the_account: bool = False
    """Whether the caller is in the cell's account, which `first` finds out."""
    _functions: dict[str, FunctionSeen | None] = field(default_factory=dict[str, FunctionSeen | None])

    @property
    def _cell(self) -> Cell:
        return self.account.cell

    def first(self) -> Iterator[Finding]:
        """The clock and the caller, by one call that needs no permission. Its failure is a fault of its own."""
        asked = time()
        try:
            told: Any = self.account.caller.get_caller_identity()
        except ClientError as error:
            yield doctor_account.clock(_ahead(error.response, asked), local=self._cell.local)
            yield doctor.wrong("account and Region", explain(error), "sign in again, or mend the clock if that is off")
            return
        except (BotoCoreError, OperationError) as error:
            why = explain(error) if isinstance(error, BotoCoreError) else str(error)
            yield doctor_account.clock(None, local=self._cell.local)
            yield doctor.wrong("account and Region", why, "mend that first: nothing else could be looked at")
            return
        yield doctor_account.clock(_ahead(told, asked), local=self._cell.local)
        self.is_in_the_account = told["Account"] == self._cell.account_id
        region = os.environ.get("AWS_REGION") or self.account.callers_region
        yield doctor_account.caller(self._cell, told["Account"], told["Arn"], region)

    @property
    def rest(self) -> Mapping[str, Look]:
        """By the name of the check, for callers of the cell's own account."""
        return {
            "functions": self._look_at_functions,
            **self._connect,
            "Lambda concurrency": self._concurrency,
            "IAM roles": self._roles,
            "roles that read keys": self._readers,
            **self._state,
            **self._pipeline,
            "admin key": self._admin_key,
            "OpenAI organization": self._openai,
            "OpenAI limits": lambda: doctor.openai_limits(self._cell.cell),
            "alarms": self._alarms,
            **self._trail,
            doctor_health.CHECK: self._health,
        }

    @property
    def _rows(self) -> Sequence[CellFunction]:
        return ALL_FUNCTIONS if self._cell.connect.enabled else FUNCTIONS

    @property
    def _connect(self) -> dict[str, Look]:
        if not self._cell.connect.enabled:
            return {doctor_connect.PAGE: doctor_connect.off}
        return {
            doctor_connect.PAGE: partial(doctor_connect_looks.page, self.account, self._seen),
            doctor_connect.PROMOTING: partial(doctor_connect_looks.promoter, self.account, self._seen),
        }

    @property
    def _trail(self) -> dict[str, Look]:
        """Nothing but hand-overs needs one."""
        return {doctor_trail.CHECK: partial(doctor_trail_looks.trail, self.account)} if self._cell.handover else {}

    def _seen(self, function: str) -> FunctionSeen | None:
        """Raises OperationError where the look at the functions did not come to this one."""
        if function not in self._functions:
            raise OperationError("the functions could not be read")
        return self._functions[function]

    def _look_at_functions(self) -> Finding:
        client = self.account.functions
        for name in map(self._cell.names.function, self._rows):
            told: Any = none_if_absent(lambda name=name: client.get_function_configuration(FunctionName=name))
            if told is None:
                self._functions[name] = None
                continue
            reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions", 0)
            self._functions[name] = FunctionSeen(
                told.get("State", ""),
                told.get("LastUpdateStatus", ""),
                told.get("StateReason", ""),
                reserved,
                told.get("CodeSha256", ""),
            )
        return doctor.functions(self._cell.cell, self._functions)

    def _concurrency(self) -> Finding:
        if len(self._functions) < len(self._rows):
            return not_checked("Lambda concurrency", "what the functions have reserved already could not be read")
        limit = self.account.functions.get_account_settings().get("AccountLimit", {})
        reserved = {name: one.reserved if one else 0 for name, one in self._functions.items()}
        missing = sum(max(0, one.reserved - reserved[self._cell.names.function(one)]) for one in self._rows)
        return doctor_account.concurrency(
            limit.get("UnreservedConcurrentExecutions", 0),
            limit.get("ConcurrentExecutions", 0),
            missing,
            self._cell.region,
        )

    def _roles(self) -> Finding:
        names = self._cell.names
        ours = [*map(names.function, self._rows), *readers(self._cell, self.tenants)]
        ours += [names.deployer_role] if self._cell.pipeline else []
        missing = sum(self._trust_of(role) is None for role in ours)
        summary = self.account.roles.get_account_summary()["SummaryMap"]
        return doctor_account.roles(summary.get("Roles", 0), summary.get("RolesQuota", 0), missing)

    def _trust_of(self, role: str) -> Any:
        """Its trust policy; None where there is no such role."""
        told: Any = none_if_absent(lambda: self.account.roles.get_role(RoleName=role))
        return None if told is None else told["Role"]["AssumeRolePolicyDocument"]

    def _readers(self) -> Finding:
        reading = readers(self._cell, self.tenants)
        trust = {role: self._trust_of(role) for role in reading}
        there = {role: document for role, document in trust.items() if document is not None}
        dead = [DeadTrust(role, reading[role], ids) for role, one in there.items() if (ids := dead_ids(one))]
        absent = [role for role in trust if role not in there]
        return doctor.readers(self._cell.cell, self._cell.names.runtime_role, [*there], absent, dead)

    @property
    def _state(self) -> dict[str, Look]:
        kept = self._cell.kept_in
        if kept is None:
            why = (
                f"the cell's file has no `state`, so {state_place.BACKEND} decides where Pulumi keeps it; for a new "
                f"cell `myflux-keys bootstrap {self._cell.cell}` makes a place: docs/state.md"
            )
            return {"state bucket": lambda: not_checked("state bucket", why)}
        name, s3 = kept.bucket, self.account.buckets

        def bucket() -> Finding:
            try:
                state_place.of(self._cell)
            except OperationError as error:
                return doctor.wrong("state bucket", str(error), f"`unset {state_place.BACKEND}`")
            told: Any = none_if_absent(lambda: s3.get_bucket_location(Bucket=name))
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
            region = None if told is None else told.get("LocationConstraint") or "us-east-1"
            return doctor_account.bucket(name, self._cell.region, "eu-west-1" if region == "EU" else region)

        def public_access() -> Finding:
            told: Any = none_if_absent(lambda: s3.get_public_access_block(Bucket=name))
            return doctor_account.public_access(name, told and told["PublicAccessBlockConfiguration"])

        def encryption() -> Finding:
            told: Any = none_if_absent(lambda: s3.get_bucket_encryption(Bucket=name))
            rules: list[Any] = told["ServerSideEncryptionConfiguration"]["Rules"] if told else []
            found: list[str] = [
                rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "") for rule in rules
            ]
            return doctor_account.encryption(name, next(filter(None, found), None))

        def key() -> Finding:
            if kept.kms_key is None:
                return not_checked("state: KMS key", "the cell's file names none: your environment encrypts the state")
            keys = self.account.keys_of(kms_key := kept.kms_key)
            told: Any = none_if_absent(lambda: keys.describe_key(KeyId=kms_key))
            return doctor_account.state_key(kms_key, told and told["KeyMetadata"])

        return {
            "state bucket": bucket,
            "state: versions": lambda: doctor_account.versioning(
                name, s3.get_bucket_versioning(Bucket=name).get("Status")
            ),
            "state: public access": public_access,
            "state: encryption": encryption,
            "state: KMS key": key,
        }

    @property
    def _pipeline(self) -> dict[str, Look]:
        pipeline, names = self._cell.pipeline, self._cell.names
        if pipeline is None:
            return {"OIDC provider": lambda: not_checked("OIDC provider", "the cell's file has no `pipeline`")}
        job = Job(pipeline.issuer, AWS_AUDIENCE, pipeline.subject)
        wanted = deployer_trust(names, job)
        arn = provider_arn(names, job.issuer)

        def provider() -> Finding:
            told: Any = none_if_absent(
                lambda: self.account.roles.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
            )
            return doctor.provider(job.issuer, arn, job.audience, told and told["ClientIDList"])

        def role() -> Finding:
            found = self._trust_of(names.deployer_role)
            return doctor.pipeline_trust(names.cell, names.deployer_role, job.subject, wanted, found)

        return {"OIDC provider": provider, "pipeline's role": role}

    def _admin_key(self) -> Finding:
        secrets, name = self.account.secrets, self._cell.names.admin_secret
        told: Any = none_if_absent(lambda: secrets.describe_secret(SecretId=name))
        secret = facts(told) if told else None
        made = None
        if secret and secret.current and not secret.deleted:
            made = next((one.made for one in versions(secrets, secret.arn) if one.id == secret.current), None)
        return doctor.admin_key(self._cell.cell, secret, made)

    def _openai(self) -> Finding:
        """By the sweep function, which alone holds the key. A dry run acts on nothing and sends no metrics."""
        event = {"action": "sweep", "dry_run": True, "next": _LAST_SLUG}
        try:
            answer = functions_client.call(self._cell, self._cell.names.sweep_function, event, self.account.functions)
        except functions_client.FunctionFailed as error:
            return doctor.openai_failed(self._cell.cell, error)
        organization = self._cell.openai.organization_id
        return doctor.openai(self._cell.cell, organization, answer["calls"], answer["admin_key_days_left"])

    def _alarms(self) -> Finding:
        names, topics = self._cell.names, self.account.topics
        topic = names.alarm_topic_arn
        pages = topics.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        listed: Any = none_if_absent(lambda: [one for page in pages for one in page["Subscriptions"]])
        if listed is None:
            return doctor.alarms(names.cell, topic, names.region, None)
        by_email = {one["Endpoint"]: one["SubscriptionArn"] for one in listed if one["Protocol"] == "email"}
        confirmed = {email: self._is_confirmed(by_email.get(email)) for email in self._cell.alarm_emails}
        return doctor.alarms(names.cell, topic, names.region, confirmed)

    def _health(self) -> Finding:
        names, memory = self._cell.names, memory_of(self.account)
        log_group = names.log_group(names.function(HEALTH))
        return doctor_health.health(memory, self._cell.health.every_minutes, log_group, time())

    def _is_confirmed(self, subscription: str | None) -> bool | None:
        """None where there is none. A listed one has an ARN, or a word in its place."""
        if subscription is None or subscription == "Deleted":
            return None
        if not subscription.startswith("arn:"):
            return False
        told: Any = self.account.topics.get_subscription_attributes(SubscriptionArn=subscription)
        return told["Attributes"].get(_PENDING) == "false"


def _ahead(answer: Any, asked: float) -> float | None:
    """Seconds, to half of the call's time and a second. A refusal tells AWS's time too."""
    told = time_told(answer)
    return (asked + time()) / 2 - told.timestamp() if told else None
