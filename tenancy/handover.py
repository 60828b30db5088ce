"""Who hands tenants' keys over to consumers that a person serves."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tenancy.fields import Model, NotEmpty, Unique
from tenancy.principals import Principal


class Handover(Model):
    """The hand-over role: docs/adr/0042-handover.md."""

    principals: Annotated[
        tuple[Principal, ...],
        Field(
            description="ARNs of the IAM users, or of the roles of people, that may assume the hand-over role with a "
            "second factor (MFA), and so read the key of one tenant that has such a consumer. No wildcards, no account "
            "root. AWS names the person in its records only for a user.",
            examples=[["arn:aws:iam::123456789012:user/ana"]],
            json_schema_extra={"uniqueItems": True, "minItems": 1},
        ),
        NotEmpty,
        Unique,
    ]
