"""A cell with tenants as the health function meets it: AWS and OpenAI of a local cell, over HTTP.

The secrets are written here, since no key needs to rotate. The function runs in this process with an administrator's
rights: its own role, which the platform's stack makes, is what `tests/program/test_destroying.py` runs it with.
"""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import openai

from functions.health.cycle import Cycle
from functions.health.handler import assemble
from functions.health.services import Services
from functions.health.settings import Settings
from functions.health.state import State
from functions.health.store import STATE
from functions.shared.admin_key import AdminKey
from functions.shared.deadline import Deadline
from functions.shared.environment import Environment
from local.cell import LocalCell
from local.openai.control import EmulatorControl
from myflux_keys import names
from myflux_keys.declaration import Declaration
from myflux_keys.payload import Payload, SecretText, iso

MODEL = "gpt-5.4-mini"
_CELLS = itertools.count(1)


class Clients:
    """Of an administrator; every test of a module shares them, as the function's invocations do."""

    def __init__(self, cell: LocalCell) -> None:
        self.secrets, self.s3, self.sns, self.sqs, self.cloudwatch, self.sts = (
            cell.client("administrator", service)
            for service in ("secretsmanager", "s3", "sns", "sqs", "cloudwatch", "sts")
        )

    def close(self) -> None:
        for client in (self.secrets, self.s3, self.sns, self.sqs, self.cloudwatch, self.sts):
            client.close()


class Tenant:
    def __init__(self, world: World, slug: str, *, declaration: Declaration, project_id: str, key: str, key_id: str):
        self.world, self.slug, self.declaration = world, slug, declaration
        self.project_id, self.key, self.key_id = project_id, key, key_id

    def declare(self, **changes: Any) -> None:
        self.declaration = replace(self.declaration, **changes)
        self.world.put(f"declarations/{self.slug}.json", self.declaration.to_json())

    def call(self, text: str = "Is anybody there?", model: str = MODEL) -> None:
        with openai.OpenAI(api_key=self.key, base_url=self.world.url, max_retries=0) as client:
            client.responses.create(model=model, input=text)


class World:
    """A new cell with an empty organization. Each has names of its own in the same account."""

    def __init__(self, cell: LocalCell, clients: Clients, language: str = "en") -> None:
        self.cell, self.aws, self.url = cell, clients, cell.openai_url
        self.control: EmulatorControl = cell.openai
        self.control.reset()
        self.control.settings(admin_requests_per_minute=0)
        self.slug = f"health{next(_CELLS)}"
        self.bucket = f"myflux-{self.slug}-platform"
        clients.s3.create_bucket(Bucket=self.bucket)
        self.topic = clients.sns.create_topic(Name=f"myflux-{self.slug}-alarms")["TopicArn"]
        self.queue = clients.sqs.create_queue(QueueName=f"{self.slug}-inbox")["QueueUrl"]
        arn = clients.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]})
        clients.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy})
        clients.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        admin_secret = names.admin_secret(self.slug)
        self.admin_key = self.control.create_admin_key("the cell's")
        clients.secrets.create_secret(Name=admin_secret, SecretString=self.admin_key)
        common = Environment(self.slug, admin_secret, self.url, "org-local")
        self.settings = Settings(common, self.bucket, self.topic, language)
        self.keys = [self.admin_key]

    def put(self, key: str, text: str) -> None:
        self.aws.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())

    def admin(self) -> openai.OpenAI:
        return openai.OpenAI(admin_api_key=self.admin_key, base_url=self.url, max_retries=0)

    def tenant(self, slug: str = "acme", *, declared: bool = True, **declaration: Any) -> Tenant:
        """A managed tenant: project, allow-list, spend limit if it has a hard budget, key and secret."""
        models = declaration.get("models", (MODEL,))
        with self.admin() as client:
            projects = client.admin.organization.projects
            project = projects.create(name=names.project_name(self.slug, slug)).id
            projects.model_permissions.update(project, mode="allow_list", model_ids=list(models))
            account = projects.service_accounts.create(project, name="runtime", create_service_account_only=True)
            projects.service_accounts.update(account.id, project_id=project, role="member")
            key = projects.service_accounts.api_keys.create(
                account.id, project_id=project, expires_in_seconds=30 * 86_400
            )
            if budget := declaration.get("budget"):
                cents: Any = {"currency": "USD", "interval": "month", "threshold_amount": budget.monthly_usd * 100}
                projects.spend_limit.update(project, **cents)
        self.store(slug, key.value, key_id=key.id, project=project, account=account.id, models=models)
        one = Declaration(slug, self.slug, f"{slug.title()} Travel", "CR", "managed", tuple(models))
        made = Tenant(self, slug, declaration=one, project_id=project, key=key.value, key_id=key.id)
        if declared:
            made.declare(**declaration)
        return made

    def customer(self, slug: str, key: str, **declaration: Any) -> Tenant:
        """A tenant with a customer's own key."""
        self.store(slug, key)
        one = Declaration(slug, self.slug, slug.title(), "CR", "customer", (MODEL,), minted=False)
        made = Tenant(self, slug, declaration=one, project_id="", key=key, key_id="")
        made.declare(**declaration)
        return made

    def store(
        self,
        slug: str,
        key: str,
        *,
        key_id: str = "",
        project: str = "",
        account: str = "",
        models: Any = (MODEL,),
        organization: str = "",
    ) -> None:
        """`organization`: a customer's, in which we mint with an admin key of theirs."""
        self.keys.append(key)
        now = int(self.now())
        source = "managed" if project else "customer"
        payload = Payload(
            *(
                slug,
                SecretText(key),
                key_id,
                project,
                account,
                (organization or "org-local") if project else "",
                self.url,
            ),
            *(tuple(models), iso(now), iso(now + 30 * 86_400) if project else "", source),
        )
        tags = {
            names.TAG_TENANT: slug,
            names.TAG_CELL: self.slug,
            names.TAG_MANAGED_BY: names.MANAGED_BY,
        }
        if project:
            tags |= {names.TAG_PROJECT_ID: project, names.TAG_SERVICE_ACCOUNT_ID: account}
        if organization:
            tags[names.TAG_ORGANIZATION_ID] = organization
        listed = [{"Key": name, "Value": value} for name, value in tags.items()]
        name = names.secret_name(self.slug, slug)
        self.aws.secrets.create_secret(Name=name, SecretString=payload.to_json(), Tags=listed)

    def services(self, deadline: Deadline | None = None) -> Services:
        key = AdminKey(self.aws.secrets, self.settings.common.admin_secret)
        clients = (self.aws.secrets, self.aws.cloudwatch, self.aws.sns, self.aws.s3, self.aws.sts)
        return assemble(self.settings, *clients, key, deadline or Deadline(300))

    def cycle(self, deadline: Deadline | None = None) -> dict[str, Any]:
        return Cycle(self.services(deadline)).run()

    def variables(self) -> dict[str, str]:
        """The environment variables that the platform's stack would set."""
        return {
            "MYFLUX_CELL": self.slug,
            "MYFLUX_ADMIN_SECRET": self.settings.common.admin_secret,
            "OPENAI_BASE_URL": self.url,
            "MYFLUX_ORGANIZATION_ID": self.settings.common.organization_id,
            "MYFLUX_HEALTH_BUCKET": self.bucket,
            "MYFLUX_ALARM_TOPIC": self.topic,
            "MYFLUX_LANGUAGE": self.settings.language,
        }

    def messages(self) -> list[str]:
        """The texts of the messages that reached the topic since the last look, the first line of each."""
        return [body.splitlines()[0] for body in self.bodies()]

    def bodies(self) -> list[str]:
        found: list[str] = []
        while True:
            got = self.aws.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
            for one in got:
                found.append(json.loads(one["Body"])["Message"])
                self.aws.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"])
            if not got:
                return sorted(found)

    def state(self) -> State:
        return State.from_json(self.raw_state())

    def raw_state(self) -> str:
        return self.aws.s3.get_object(Bucket=self.bucket, Key=STATE)["Body"].read().decode()

    def numbers(self, metric: str) -> list[float]:
        """The highest and lowest value that was told of a metric of this cell."""
        now = time.time()
        found = self.aws.cloudwatch.get_metric_statistics(
            Namespace=names.METRICS,
            MetricName=metric,
            Dimensions=[{"Name": "Cell", "Value": self.slug}],
            StartTime=now - 7200,
            EndTime=now + 7200,
            Period=86_400,
            Statistics=["Maximum", "Minimum"],
        )
        return [value for point in found["Datapoints"] for value in (point["Minimum"], point["Maximum"])]

    def now(self) -> float:
        return self.control.now()

    def today(self) -> date:
        return datetime.fromtimestamp(self.now(), UTC).date()

    def spent(self, tenant: Tenant) -> Decimal:
        days = self.state().tenants[tenant.slug].days
        assert days is not None
        return sum(days.values(), Decimal(0))
