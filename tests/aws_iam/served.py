"""The cell's AWS side as a test sees it: boto3 clients of its users, and the words that policies are written in.

Leaves out how the server is started (`conftest`).
"""

from __future__ import annotations

import configparser
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "us-east-1"
ACCOUNT = "000000000000"


@dataclass
class Cell:
    """The running server. `client(user, service)` signs as a user of the credentials file."""

    url: str
    home: Path
    _sessions: dict[str, boto3.Session] = field(default_factory=dict[str, boto3.Session])

    def session(self, user: str) -> boto3.Session:
        """One a user: making it takes four times as long as a client."""
        if user not in self._sessions:
            profiles = configparser.ConfigParser()
            profiles.read(self.home / "credentials")
            keys = profiles[user]
            self._sessions[user] = self.keys(keys["aws_access_key_id"], keys["aws_secret_access_key"])
        return self._sessions[user]

    def keys(self, access_key: str, secret_key: str, token: str | None = None) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=token,
            region_name=REGION,
        )

    def client(self, user: str | boto3.Session, service: str, **options: Any) -> Any:
        session: Any = self.session(user) if isinstance(user, str) else user
        config = Config(retries={"total_max_attempts": 1}, **options)
        return session.client(service, endpoint_url=self.url, config=config)

    def user(self, statements: list[dict[str, Any]], *, tags: dict[str, str] | None = None, boundary: str = "") -> Any:
        """A new user with this policy: (its name, a session of its keys)."""
        iam = self.client("administrator", "iam")
        name = unique("user")
        extra = {"PermissionsBoundary": boundary} if boundary else {}
        iam.create_user(UserName=name, Tags=as_tags(tags or {}), **extra)
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=document(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return name, self.keys(key["AccessKeyId"], key["SecretAccessKey"])

    def role(self, trust: list[dict[str, Any]], statements: list[dict[str, Any]], **options: Any) -> str:
        """A new role's ARN."""
        iam = self.client("administrator", "iam")
        name = options.pop("RoleName", None) or unique("role")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(*trust), **options)["Role"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=document(*statements))
        return role["Arn"]

    def assume(self, who: str | boto3.Session, role_arn: str, **options: Any) -> boto3.Session:
        options.setdefault("RoleSessionName", "work")
        held = self.client(who, "sts").assume_role(RoleArn=role_arn, **options)["Credentials"]
        return self.keys(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"])

    def secret(self, value: str = "a value", *, tags: dict[str, str] | None = None, **options: Any) -> str:
        """A new secret's ARN."""
        made = self.client("administrator", "secretsmanager").create_secret(
            Name=unique("test/secret"), SecretString=value, Tags=as_tags(tags or {}), **options
        )
        return made["ARN"]

    def events(self, name: str) -> list[dict[str, Any]]:
        """CloudTrail's events of one operation, the newest first."""
        found = self.client("administrator", "cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}]
        )
        return [json.loads(event["CloudTrailEvent"]) for event in found["Events"]]


AN_ALARM: dict[str, Any] = {
    "MetricName": "m",
    "Namespace": "n",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "Statistic": "Sum",
    "ComparisonOperator": "GreaterThanThreshold",
}
"""What PutMetricAlarm needs beside the alarm's name."""


def unique(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(4)}"


def as_tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def allow(actions: str | list[str], resources: str | list[str] = "*", **elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **elements}


def deny(actions: str | list[str], resources: str | list[str] = "*", **elements: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": actions, "Resource": resources, **elements}


def trust(principal: Any, actions: str | list[str] = "sts:AssumeRole", **elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": actions, **elements}


def user_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    """(code, message) of the error that the call must end in."""
    with pytest.raises(ClientError) as caught:
        call()
    error: Any = caught.value.response.get("Error", {})
    return error["Code"], error["Message"]
