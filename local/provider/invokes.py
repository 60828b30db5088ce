"""The data sources that programs use: caller identity, Region, partition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.provider.aws import Aws, Refused, partition_of

_SUFFIXES = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}


def _caller_identity(aws: Aws, _region: str) -> dict[str, Any]:
    who = aws.identity()
    return {"accountId": who.account_id, "arn": who.arn, "userId": who.user_id, "id": who.account_id}


def _region(_aws: Aws, region: str) -> dict[str, Any]:
    return {
        "description": _described(region),
        "endpoint": f"ec2.{region}.{_SUFFIXES[partition_of(region)]}",
        "id": region,
        "name": region,
        "region": region,
    }


def _described(region: str) -> str:
    """AWS's own description of the Region, from botocore's endpoint data."""
    from botocore.loaders import create_loader

    for partition in create_loader().load_data("endpoints")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"])
    raise Refused(f"{region!r} is no AWS Region that botocore knows")


def _partition(aws: Aws, _region: str) -> dict[str, Any]:
    partition = partition_of(aws.region)
    suffix = _SUFFIXES[partition]
    reverse = ".".join(reversed(suffix.split(".")))
    return {"dnsSuffix": suffix, "id": partition, "partition": partition, "reverseDnsPrefix": reverse}


_INVOKES: Mapping[str, tuple[Callable[[Aws, str], dict[str, Any]], frozenset[str]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": (_caller_identity, frozenset({"id"})),
    "aws:index/getRegion:getRegion": (_region, frozenset({"id", "name", "region", "endpoint"})),
    "aws:index/getPartition:getPartition": (_partition, frozenset({"id"})),
}


def invoke(aws: Aws, token: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Refused for a function or an argument that is not implemented."""
    if token not in _INVOKES:
        raise Refused(f"the local stand-in for the AWS provider has no function {token}; it has {', '.join(_INVOKES)}")
    answer, known = _INVOKES[token]
    unknown = sorted(arguments.keys() - known)
    if unknown:
        raise Refused(f"{token} has no argument {', '.join(unknown)} that the local stand-in carries")
    if arguments.get("endpoint"):
        raise Refused(f"{token}: looking a Region up by endpoint is not carried by the local stand-in: give its name")
    return answer(aws, arguments.get("region") or arguments.get("name") or aws.region)
