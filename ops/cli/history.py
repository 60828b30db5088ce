"""`myflux-keys history`: every version of a tenant's key."""

from __future__ import annotations

from ops.actions import read_reports
from ops.actions.history import Life
from ops.cli import options, output
from ops.cli.table import folded, iso, when

HEADINGS = ("VERSION", "STATE", "MINTED", "PROMOTED", "ENDS", "BY")


def history(
    tenant: options.Tenant,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show every version of a tenant's key: when it was minted, was promoted and ends, and what made it. Never a value.

    Reads Secrets Manager's versions and CloudTrail, which is some minutes late and keeps 90 days. The end is calculated
    from the tenant's rotation settings; `sweep --dry-run` shows what OpenAI has.
    """
    lives = read_reports.lives(fleet, tenant)
    output.result(
        {"tenant": tenant, "versions": [_facts(life) for life in lives]},
        folded(
            HEADINGS,
            [
                (life.version, life.state, when(life.minted), when(life.promoted), when(life.expires), _by(life))
                for life in lives
            ],
            HEADINGS.index("MINTED"),
        )
        if lives
        else f"{tenant} has no key yet.",
        as_json=as_json,
    )


def _by(life: Life) -> str:
    parts = [life.by, f"({life.who.rpartition('/')[2]})" if life.who else "", life.reason and f'"{life.reason}"']
    return " ".join([part for part in parts if part] + ([f"- {life.problem}"] if life.problem else []))


def _facts(life: Life) -> dict[str, object]:
    return {
        "version_id": life.version,
        "state": life.state,
        "minted_at": iso(life.minted),
        "promoted_at": iso(life.promoted),
        "ends_at": iso(life.expires),
        "by": life.by,
        "who": life.who,
        "reason": life.reason,
        "problem": life.problem,
    }
