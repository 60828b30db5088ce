"""A role that runs the application, and so reads keys: made, made anew under its name, and tried."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import boto3

from local.cell import LocalCell
from myflux_keys.aws_names import CellNames

ARN = "arn:aws:iam::000000000000:role/app"
_NAME = "app"


def make(cell: LocalCell) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": cell.account_id}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    with closing(cell.client("administrator", "iam")) as iam:
        iam.create_role(RoleName=_NAME, AssumeRolePolicyDocument=document)


def make_anew(cell: LocalCell) -> None:
    with closing(cell.client("administrator", "iam")) as iam:
        iam.delete_role(RoleName=_NAME)
    make(cell)


def reads(cell: LocalCell, tenant: str) -> bool:
    """Whether the application may take the runtime's role for the tenant."""
    with closing(cell.client("administrator", "sts")) as sts:
        held = sts.assume_role(RoleArn=ARN, RoleSessionName=_NAME)["Credentials"]
    session: Any = boto3.Session(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"], cell.region)
    role = CellNames("local", cell.account_id, cell.region).runtime_role_arn
    with closing(session.client("sts", endpoint_url=cell.aws_url)) as own:
        try:
            own.assume_role(RoleArn=role, RoleSessionName=_NAME, Tags=[{"Key": "tenant", "Value": tenant}])
        except own.exceptions.ClientError:
            return False
    return True
