"""TagResource and UntagResource, which are refused where their caller would lose its own permissions.

"If successfully completing this operation would result in you losing your permissions for this secret, then the
operation is blocked and returns an Access Denied error." AWS does not say which permissions it compares: here no
permission on the secret may go.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UntagResource.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from local.aws.iam.authorize import AccessDenied, authorize
from local.aws.secrets import constraints
from local.aws.secrets.refusals import Refusal
from local.aws.secrets.store import LOCK, Record, find_writable, touch

Request = dict[str, Any]
Answer = dict[str, Any]
Tag = dict[str, str]

_OF_NO_SECRET: Final = frozenset({"BatchGetSecretValue", "CreateSecret", "GetRandomPassword", "ListSecrets"})
"""Operations whose permission is on no secret that is there:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html"""


def tag_resource(request: Request) -> Answer:
    added = {tag["Key"]: tag for tag in request["Tags"]}
    return _retag(request["SecretId"], lambda tags: list(({tag["Key"]: tag for tag in tags} | added).values()))


def untag_resource(request: Request) -> Answer:
    removed = set(request["TagKeys"])
    return _retag(request["SecretId"], lambda tags: [tag for tag in tags if tag["Key"] not in removed])


def _retag(secret_id: str, change: Callable[[list[Tag]], list[Tag]]) -> Answer:
    with LOCK:
        secret = find_writable(secret_id)
        before: list[Tag] = secret["Tags"]
        could = _permissions(secret)
        secret["Tags"] = change(before)
        lost = could - _permissions(secret)
        if lost:
            secret["Tags"] = before
            raise Refusal(
                "AccessDeniedException",
                "The operation would take from its caller the permission to perform: "
                f"{', '.join(sorted(lost))} on resource: {secret['ARN']}",
            )
        if secret["Tags"] != before:
            touch(secret)
    return {}


def _permissions(secret: Record) -> set[str]:
    """What the caller may do with the secret as it is tagged now."""
    return {action for action in _ACTIONS if _may(action, secret)}


_ACTIONS: Final = tuple(f"secretsmanager:{name}" for name in sorted(constraints.operations() - _OF_NO_SECRET))


def _may(action: str, secret: Record) -> bool:
    try:
        authorize(action, secret["ARN"])
    except AccessDenied:
        return False
    return True
