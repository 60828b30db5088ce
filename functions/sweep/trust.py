"""Whether the roles that read tenants' keys trust users and roles that exist.

AWS keeps a trusted principal as its unique id, and shows the id instead of the ARN once it is deleted. One made anew
under its name has another id, and is not trusted:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient

_ID: Final = re.compile(r"(?:AIDA|AROA)[A-Z0-9]+")


@dataclass(frozen=True)
class DeadTrust:
    """A role that trusts `ids`, whose users or roles are deleted. `tenant`: whose dedicated role it is, else None."""

    role: str
    tenant: str | None
    ids: list[str]

    def shown(self) -> dict[str, Any]:
        return asdict(self)


def new_client() -> IAMClient:
    config = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
    return boto3.client("iam", config=config)  # pyright: ignore[reportUnknownMemberType]


def dead_trust(client: IAMClient, role: str, tenant: str | None = None) -> DeadTrust | None:
    """None: all whom the role trusts are there, or there is no such role. Raises botocore's errors."""
    try:
        document: Any = client.get_role(RoleName=role)["Role"].get("AssumeRolePolicyDocument")
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "NoSuchEntity":
            return None
        raise
    ids = dead_ids(document)
    return DeadTrust(role, tenant, ids) if ids else None


def dead_ids(document: Mapping[str, Any]) -> list[str]:
    """Of a trust policy as botocore reads it."""
    principals: list[Any] = [statement.get("Principal") for statement in _list(document.get("Statement"))]
    named = [name for one in principals if one and one != "*" for name in _list(one.get("AWS"))]
    return sorted({name for name in named if _ID.fullmatch(name)})


def _list(value: Any) -> list[Any]:
    return [*value] if isinstance(value, list | tuple) else [value] if value else []
