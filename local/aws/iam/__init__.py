"""AWS's rules of identity and access that MiniStack leaves out or gets wrong, put in place while it runs.

Owns the order in which they are installed. Each rule lives in a file of its own. No file of MiniStack is changed.
"""

from __future__ import annotations

from pathlib import Path

from local.aws.iam.authorize import AccessDenied, authorize, authorize_service

__all__ = ["AccessDenied", "authorize", "authorize_service", "install"]


def install(home: Path) -> None:
    """Patches MiniStack, makes the cell's users and writes their access keys to `home/credentials`.

    Called once, after MiniStack's import and before it serves. Raises patching.UnexpectedShape.
    """
    from local.aws.iam import (
        control_endpoints,
        deliveries,
        dispatch,
        enforcement,
        function_roles,
        key_policies,
        patching,
        root_keys,
        service_calls,
        sessions,
        users,
    )
    from local.aws.trail import history, lookup

    patching.require_version()
    for rule in (
        root_keys,
        enforcement,
        service_calls,
        deliveries,
        sessions,
        function_roles,
        key_policies,
        history,
        lookup,
        dispatch,
        control_endpoints,
    ):
        rule.install()
    users.install(home)
