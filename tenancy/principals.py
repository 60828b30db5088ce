"""IAM principals and AWS Regions in a cell's file.

Owns their format and rules. Leaves out whether they exist: AWS is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, cast

from pydantic import AfterValidator, Field

from tenancy.fields import Text, refused
from tenancy.problems import Refusal

_REGION: Final = re.compile(r"(?:af|ap|ca|eu|il|me|mx|sa|us|us-gov|eusc-de)-(?:[a-z]+)-[1-9][0-9]?", re.ASCII)
_UNUSABLE: Final = {
    "cn-": "China",
    "ap-east-1": "Hong Kong",
    "us-iso": "a network without internet",
    "eu-iso": "a network without internet",
}
_HANDOVER: Final = ("handover", "principals")
_PRINCIPAL: Final = re.compile(r"arn:(aws[a-z-]*):iam::[0-9]{12}:(?:role|user)/[\w+=,.@/-]{1,576}", re.ASCII)


def partition_of(name: str) -> str:
    """The ARN partition of a Region, e.g. ``aws`` for ``eu-central-1``."""
    for prefix, partition in (("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc"), ("cn-", "aws-cn")):
        if name.startswith(prefix):
            return partition
    return "aws"


def region_code(name: str) -> str:
    for prefix, where in _UNUSABLE.items():
        if name == prefix or (prefix != "ap-east-1" and name.startswith(prefix)):
            reason = f"The cell's functions call OpenAI's API, which cannot be reached from {where}."
            refused("region-without-openai", reason, "choose another Region.")
    if not _REGION.fullmatch(name):
        refused("bad-region", "This is not an AWS Region's code.", "write a code such as eu-central-1.")
    return name


def _principal(arn: str) -> str:
    if "*" in arn or "?" in arn:
        refused(
            "principal-wildcard",
            "A wildcard would trust principals that are not in the list.",
            "name each user or role by its ARN.",
        )
    if arn.endswith(":root") or re.fullmatch(r"[0-9]{12}", arn, re.ASCII):
        reason = "An account's root means every principal that the account allows, now or later."
        refused("principal-account", reason, "name the user or role by its ARN.")
    if ":assumed-role/" in arn:
        refused(
            "principal-session",
            "This is the ARN of one session of a role, and sessions end.",
            "name the role: arn:aws:iam::…:role/….",
        )
    if not _PRINCIPAL.fullmatch(arn):
        refused(
            "bad-principal", "This is not the ARN of an IAM user or role.", "write arn:aws:iam::<account>:role/<name>."
        )
    return arn


Principal = Annotated[
    Text,
    AfterValidator(_principal),
    Field(json_schema_extra={"pattern": r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+$"}),
]


def principal_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    """Rules between a cell's principals; `data` is the file's raw values."""
    region = data.get("region")
    home = region if isinstance(region, str) and _REGION.fullmatch(region) else None
    lists: dict[tuple[str, ...], Any] = {
        (field,): data.get(field) for field in ("runtime_principals", "deployer_principals")
    }
    handover = data.get("handover")
    if isinstance(handover, Mapping):
        lists[_HANDOVER] = cast(Mapping[str, Any], handover).get("principals")
    trusted = {field: cast(list[Any], value) for field, value in lists.items() if isinstance(value, list | tuple)}
    for field, arns in trusted.items():
        for place, arn in enumerate(arns):
            form = _PRINCIPAL.fullmatch(arn) if isinstance(arn, str) else None
            if form and home and form[1] != partition_of(home):
                reason = (
                    f"The cell's Region is in partition {partition_of(home)}; IAM cannot trust a principal of another."
                )
                yield Refusal("principal-partition", reason, f"write arn:{partition_of(home)}:iam::….", (*field, place))
    runtimes = trusted.get(("runtime_principals",), ())
    for place, arn in enumerate(trusted.get(("deployer_principals",), ())):
        if arn in runtimes:
            reason = "A deployer must not read keys, but this principal may assume the runtime role, which can."
            yield Refusal(
                "deployer-reads",
                reason,
                "use different principals for deploying and for the runtime.",
                ("deployer_principals", place),
            )
    yield from _handover_refusals(data, trusted.get(_HANDOVER, ()), runtimes)


def _handover_refusals(data: Mapping[str, Any], people: Sequence[Any], runtimes: Sequence[Any]) -> Iterator[Refusal]:
    ours = f":role/myflux-{data.get('cell')}"
    for place, arn in enumerate(people):
        if arn in runtimes:
            reason = "The runtime is no person: it has no second factor, and reads keys by its own role."
            yield Refusal("handover-runtime", reason, "name the users of people.", (*_HANDOVER, place))
        elif isinstance(arn, str) and (f"{ours}-" in arn or f"{ours}_" in arn):
            reason = "This is a role of the cell's own, which can do more than a person who hands keys over may."
            yield Refusal("handover-own-role", reason, "name the users of people.", (*_HANDOVER, place))
