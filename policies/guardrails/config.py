"""What may be set about the rules, and its defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """The generated page quotes each field's docstring. A pack's configuration spells names in camelCase."""

    max_rotation_days: int = 93
    """The longest time between two rotations of a key, whatever its tag promises."""
    min_recovery_days: int = 7
    """The shortest time in which a deleted secret can be restored."""
    min_key_deletion_days: int = 30
    """The shortest time in which the deletion of a KMS key can be called off."""
    min_log_retention_days: int = 7
    """The shortest time for which a function's log is kept."""
    max_concurrency: int = 10
    """The most of a function's executions at once."""
    openai_hosts: tuple[str, ...] = ("api.openai.com", "eu.api.openai.com", "us.api.openai.com")
    """Where the functions may send keys, besides this machine itself."""
    production_cells: tuple[str, ...] = ()
    """Cells whose secrets, keys and projects must be protected from deletion."""
    runtime_principals: tuple[str, ...] = ()
    """ARNs of those who may assume the runtime role. Empty: any user or role that is named in full and is none of
    ours."""
    deployers: tuple[str, ...] = ()
    """ARNs of those who may govern secrets. Empty: any user or role that is named in full and is none of ours."""
    tenants_pipelines: tuple[str, ...] = ()
    """Cells whose pipeline may deploy tenants alone, whatever its policy is named. Empty: what its name says."""
    pipeline_jobs: tuple[str, ...] = ()
    """Issuer and subject, a space between, of each job that may become a pipeline's role. Empty: any that is named in
    full."""
    alarm_emails: tuple[str, ...] = ()
    """Who must hear a cell's alarms, and nobody else. Empty: anybody."""
    promises: tuple[str, ...] = ()
    """What tenants' files promise, a JSON object each: tenant, permission, models, rate_limits, budget. Empty: not
    compared."""
