"""What IAM checks before it attaches a managed policy: that it exists, and that there are not too many.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html (NoSuchEntity, LimitExceeded)
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html ("Managed policies attached to an IAM role":
10 by default, the same for users and groups)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ministack.services import iam as iam_service

from local.aws.iam.patching import replace_operation, require_shape

_MOST: Final = 10
_AWS_OWN: Final = "arn:aws:iam::aws:policy/"
_STORES: Final = {"Role": "_roles", "User": "_users", "Group": "_groups"}


def install() -> None:
    require_shape("ministack.services.iam", "_policy_exists", "arn")
    for kind in _STORES:
        replace_operation(f"Attach{kind}Policy", _checked(kind))


def _checked(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def handler(p: dict[str, Any]) -> Any:
            arn = iam_service._p(p, "PolicyArn")
            held = getattr(iam_service, _STORES[kind]).get(iam_service._p(p, f"{kind}Name"))
            if held is None:
                return original(p)
            if not arn.startswith(_AWS_OWN) and not iam_service._policy_exists(arn):
                message = f"Policy {arn} does not exist or is not attachable."
                return iam_service._error(404, "NoSuchEntity", message, ns="iam")
            if len({*held.get("AttachedPolicies", []), arn}) > _MOST:
                message = f"Cannot exceed quota for PoliciesPer{kind}: {_MOST}"
                return iam_service._error(409, "LimitExceeded", message, ns="iam")
            return original(p)

        return handler

    return make
