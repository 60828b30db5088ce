"""A repository in a temporary folder, with files that are valid until a test spoils one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tenancy import Fleet, Problem, TenancyError, Tenant, load

TENANT: dict[str, Any] = {
    "tenant": "acme",
    "name": "Acme Travel",
    "cell": "local",
    "country": "CR",
    "source": "managed",
    "models": ["gpt-5-mini", "gpt-4o-mini"],
    "rate_limits": {"gpt-5-mini": {"requests_per_minute": 500, "tokens_per_minute": 200000}},
    "budget": {"monthly_usd": 200, "hard": True, "alert_percent": [50, 100], "emails": ["ops@acme.example"]},
    "rotation": {"every_days": 30, "overlap_hours": 24},
    "consumers": {"myflux": True, "cinnox": False},
}
_LEAST = ("tenant", "name", "cell", "country", "source", "rotation")
CELL: dict[str, Any] = {
    "cell": "local",
    "account_id": "000000000000",
    "region": "us-east-1",
    "production": False,
    "local": True,
    "runtime_principals": ["arn:aws:iam::000000000000:user/runtime"],
    "deployer_principals": ["arn:aws:iam::000000000000:user/deployer"],
    "openai": {"organization_id": "org-local"},
}
REAL: dict[str, Any] = CELL | {
    "cell": "prod-eu1",
    "account_id": "123456789012",
    "region": "eu-central-1",
    "local": False,
    "runtime_principals": ["arn:aws:iam::123456789012:role/myflux"],
    "deployer_principals": ["arn:aws:iam::123456789012:role/deployer"],
}


def least(*models: str, **fields: Any) -> Tenant:
    """A managed tenant with these models and fields, and no other but those that it must have."""
    return Tenant.model_validate({name: TENANT[name] for name in _LEAST} | {"models": models} | fields)


class Files:
    """Writes files; `without` names fields to leave out, keyword arguments replace them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "tenants").mkdir(parents=True)
        (root / "cells").mkdir()
        self.cell()

    def write(self, file: str, content: str | bytes) -> Path:
        path = self.root / file
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def tenant(self, file: str = "acme", *, without: tuple[str, ...] = (), **fields: Any) -> Path:
        return self._dump(f"tenants/{file}.yaml", TENANT | fields, without)

    def cell(
        self, file: str = "local", *, base: dict[str, Any] = CELL, without: tuple[str, ...] = (), **fields: Any
    ) -> Path:
        return self._dump(f"cells/{file}.yaml", base | fields, without)

    def _dump(self, file: str, fields: dict[str, Any], without: tuple[str, ...]) -> Path:
        kept = {name: value for name, value in fields.items() if name not in without}
        return self.write(file, yaml.safe_dump(kept, sort_keys=False, allow_unicode=True))

    def load(self) -> Fleet:
        return load(self.root)

    def problems(self) -> tuple[Problem, ...]:
        with pytest.raises(TenancyError) as caught:
            load(self.root)
        assert "nothing was changed" in str(caught.value), "the reader must know that it is safe to correct and repeat"
        return caught.value.problems

    def problem(self) -> Problem:
        found = self.problems()
        assert len(found) == 1, f"one mistake is one problem, not {[str(problem) for problem in found]}"
        assert found[0].reason, "the reader learns why"
        assert found[0].way_out, "the reader learns what to do"
        return found[0]
