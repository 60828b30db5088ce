"""The settings of the rules, and their defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Config:
    """The generated page quotes each field's docstring. The pack's configuration has the names in camelCase."""

    max_rotation_days: int = 93
    """Days: the longest time between two rotations, whatever the secret's tag says."""
    min_recovery_days: int = 7
    """Days: the least time for which a deleted secret can be restored."""
    min_key_deletion_days: int = 30
    """Days: the least time for which the deletion of a KMS key can be cancelled."""
    min_log_retention_days: int = 7
    """Days: the least time for which a function's log is kept."""
    max_concurrency: int = 10
    """The most concurrent executions of a function."""
    min_runtime_days: int = 0
    """Days: the least time for which AWS still supports the runtime of a function."""
    openai_hosts: tuple[str, ...] = ("api.openai.com", "eu.api.openai.com", "us.api.openai.com")
    """Hosts to which the functions may send keys, besides loopback addresses."""
    accepted_types: tuple[str, ...] = ()
    """Types of resources that the rules cannot read, and that a reviewer has accepted."""
    production_cells: tuple[str, ...] = ()
    """Cells whose secrets, keys and projects must be protected from deletion."""
    runtime_principals: tuple[str, ...] = ()
    """ARNs that may assume the runtime role. Empty: any full ARN of a user or role, except our roles."""
    handover_principals: tuple[str, ...] = ()
    """ARNs that may assume the hand-over role. Empty: any full ARN of a user or role, except our roles."""
    deployers: tuple[str, ...] = ()
    """ARNs that may govern secrets. Empty: any full ARN of a user or role, except our roles."""
    tenants_pipelines: tuple[str, ...] = ()
    """Cells whose pipeline may deploy only tenants, whatever its policy's name. Empty: the policy's name decides."""
    pipeline_jobs: tuple[str, ...] = ()
    """The jobs that may assume a pipeline's role, each as issuer, space, subject. Empty: any exact subject."""
    alarm_emails: tuple[str, ...] = ()
    """The only e-mail addresses that must receive a cell's alarms. Empty: any."""
    promises: tuple[str, ...] = ()
    """Tenants' files, a JSON object each: tenant, permission, models, rate_limits, budget, isolation, credential,
    switching_from. Empty: not compared."""

    @property
    def by_tenant(self) -> Mapping[str, Mapping[str, Any]]:
        """`promises`, read."""
        return {str(one["tenant"]): one for one in map(json.loads, self.promises)}
