"""The order of the demo's checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from demo import (
    access,
    connecting,
    handing_over,
    keyless,
    proposing,
    proving,
    provisioning,
    rotating,
    settling,
    spending,
    sweeping,
    traces,
    watching,
)
from demo.report import Report
from demo.scene import Scene


def play(home: Path, *, keep: bool, console: Console) -> Report:
    """Runs every check; with `keep` all but the last two. Stops early when a check fails that later checks need."""
    report = Report(home / "report.json", console)
    scene = Scene(home)
    foundations: list[tuple[str, Callable[[], str]]] = [
        ("cell-up", lambda: provisioning.cell_up(scene)),
        ("platform-up", lambda: provisioning.platform_up(scene, report)),
        ("admin-key-stored", lambda: provisioning.admin_key_stored(scene)),
        ("tenants-up", lambda: provisioning.tenants_up(scene, report)),
        ("first-keys-minted", lambda: provisioning.first_keys_minted(scene, report)),
        ("runtime-answers", lambda: access.runtime_answers(scene, report)),
    ]
    proofs: list[tuple[str, Callable[[], str]]] = [
        ("policies-pass", lambda: provisioning.policies_pass(scene)),
        ("isolation-proven", lambda: proving.isolation_proven(scene, report)),
        ("cross-tenant-denied", lambda: access.cross_tenant_denied(scene, report)),
        ("strangers-denied", lambda: access.strangers_denied(scene, report)),
        ("rotation-zero-downtime", lambda: rotating.rotation_zero_downtime(scene, report)),
        ("old-key-dies", lambda: rotating.old_key_dies(scene, report)),
        ("crash-recovery", lambda: rotating.crash_recovery(scene, report)),
        ("sweep-finds-orphans", lambda: sweeping.sweep_finds_orphans(scene, report)),
        ("health-finds-trouble", lambda: watching.health_finds_trouble(scene, report)),
        ("usage-and-cost", lambda: spending.usage_and_cost(scene, report)),
        ("estimate-matches-bill", lambda: spending.estimate_matches_bill(scene, report)),
        ("connect-page", lambda: connecting.connect_page(scene, report)),
        ("scanner-spends-nothing", lambda: connecting.scanner_spends_nothing(scene, report)),
        ("cinnox-handover", lambda: handing_over.cinnox_handover(scene, report)),
        ("keyless-tenant", lambda: keyless.keyless_tenant(scene, report)),
        ("no-key-leaked", lambda: traces.no_key_leaked(scene, report)),
        ("second-up-unchanged", lambda: settling.second_up_unchanged(scene, report)),
        ("fleet-up", lambda: settling.fleet_up(scene, report)),
        ("tenant-from-pull-request", lambda: proposing.tenant_from_pull_request(scene, report)),
    ]
    endings: list[tuple[str, Callable[[], str]]] = [
        ("disable-denies", lambda: access.disable_denies(scene)),
        ("destroy-leaves-nothing", lambda: settling.destroy_leaves_nothing(scene)),
    ]
    if not keep:
        proofs += endings
    failed = next((name for name, check in foundations if not report.run(name, check)), None)
    if failed:
        ran = [name for name, _ in foundations].index(failed) + 1
        for name, _ in [*foundations[ran:], *proofs]:
            report.leave_out(name, f"{failed} failed")
    else:
        for name, check in proofs:
            report.run(name, check)
    if not keep:
        scene.close()
    report.finish()
    return report
