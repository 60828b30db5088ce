"""The local cell of these tests, whose OpenAI trusts its AWS account, and OpenAI's own clients in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
from openai import AsyncOpenAI, OpenAI

from local.cell import LocalCell
from myflux_keys import aws_web_identity_token_provider

AUDIENCE = "https://api.openai.com/v1"
OWN = "https://sts.amazonaws.com/"
GET, TAG = "sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"
OURS = {
    "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": AUDIENCE},
    "Null": {"sts:IdentityTokenAudience": "false"},
    "NumericLessThanEquals": {"sts:DurationSeconds": "900"},
}
SAME_TENANT = {
    "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": AUDIENCE, "aws:TagKeys": "tenant"},
    "Null": {"sts:IdentityTokenAudience": "false", "aws:TagKeys": "false"},
    "StringEquals": {"aws:RequestTag/tenant": "${aws:PrincipalTag/tenant}"},
}
Client = TypeVar("Client", OpenAI, AsyncOpenAI)
TRUST = ["sts:AssumeRole", "sts:TagSession"]


@dataclass(frozen=True)
class Tenant:
    project_id: str
    service_account_id: str


@dataclass
class Keyless:
    """`tenants` have one federation rule each, for role `role_arn` and the session tag."""

    cell: LocalCell
    admin: OpenAI
    provider_id: str
    role_arn: str
    tenants: dict[str, Tenant]

    def role(self, name: str, *statements: dict[str, Any]) -> str:
        """A role of these rights, which the cell's user `runtime` may assume with a session tag."""
        iam = self.cell.client("administrator", "iam")
        user = iam.get_user(UserName="runtime")["User"]["Arn"]
        trust = {"Effect": "Allow", "Principal": {"AWS": user}, "Action": TRUST}
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        iam.put_user_policy(UserName="runtime", PolicyName=name, PolicyDocument=document(allow(TRUST, arn)))
        iam.put_role_policy(RoleName=name, PolicyName="tokens", PolicyDocument=document(*statements))
        return arn

    def session(self, tenant: str, role: str = "", **options: Any) -> boto3.Session:
        """A session of the runtime role that is tagged with the tenant."""
        held = self.cell.client("runtime", "sts").assume_role(
            RoleArn=role or self.role_arn,
            RoleSessionName=tenant,
            Tags=[{"Key": "tenant", "Value": tenant}],
            **options,
        )["Credentials"]
        return boto3.Session(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"], self.cell.region)

    def identity(self, tenant: str, provider: Any) -> Any:
        account = self.tenants[tenant].service_account_id
        return {"identity_provider_id": self.provider_id, "service_account_id": account, "provider": provider}

    def client(self, tenant: str, session: boto3.Session | None = None, provider: Any = None) -> OpenAI:
        """OpenAI's own client for the tenant, with a session of the tenant unless another is given."""
        provider = provider or aws_web_identity_token_provider(AUDIENCE, session=session or self.session(tenant))
        made = OpenAI(workload_identity=self.identity(tenant, provider), base_url=self.cell.openai_url, max_retries=0)
        return self.in_the_cell(made)

    def async_client(self, tenant: str) -> AsyncOpenAI:
        provider = aws_web_identity_token_provider(AUDIENCE, session=self.session(tenant))
        identity = self.identity(tenant, provider)
        return self.in_the_cell(AsyncOpenAI(workload_identity=identity, base_url=self.cell.openai_url, max_retries=0))

    def in_the_cell(self, client: Client) -> Client:
        """Sends the client's exchanges to the cell: the SDK has no public option for that."""
        assert client._workload_identity_auth is not None
        client._workload_identity_auth.token_exchange_url = self.exchange_url
        return client

    @property
    def exchange_url(self) -> str:
        return self.cell.openai_url.removesuffix("/v1") + "/oauth/token"

    def exchanges(self) -> int:
        return sum(call.path == "/oauth/token" for call in self.cell.openai.calls())


def allow(actions: str | list[str], resource: str = "*", **elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **elements}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
