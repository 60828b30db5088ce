"""What Lambda checks of the principal of a new permission: that it is a service, an account, or somebody who exists.

https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html (Principal)
The text is the one that AWS's users report: https://github.com/Pocket/terraform-modules/pull/1037
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json

from local.aws.iam import principal_ids
from local.aws.iam.patching import replace


def install() -> None:
    replace(
        "ministack.services.lambda_svc",
        "_add_permission",
        "func_name, data, query_params, path_qualifier",
        _checked,
    )


def _checked(original: Callable[..., Any]) -> Callable[..., Any]:
    def _add_permission(func_name: str, data: dict[str, Any], *others: Any, **named: Any) -> Any:
        principal = data.get("Principal", "")
        if any(principal_ids.is_somebody(kind, principal) for kind in ("Service", "AWS")):
            return original(func_name, data, *others, **named)
        return error_response_json(
            "InvalidParameterValueException",
            "The provided principal was invalid. Please check the principal and try again.",
            400,
        )

    return _add_permission
