"""`myflux-keys revoke`: ends a tenant's access after a leak, and gives it a new key, or a new rule for tokens."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from ops import ways_out
from ops.actions import run_revoke, run_revoke_plan
from ops.actions.end_keys import Seen
from ops.actions.revoke_plan import Planned, valid_now
from ops.actions.revoke_tokens import RevokedTokens
from ops.actions.run_revoke import RevokedTenant
from ops.cli import ask, options, output


def revoke(
    tenant: options.Tenant,
    yes: options.Yes = False,
    reason: Annotated[
        str, typer.Option(help="The reason, which CloudTrail and `history` show.", show_default=False)
    ] = "",
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Revoke every key of a tenant now, and make a new one. Use it when a key, a token or a session has leaked.

    First denies readers, then revokes every key at OpenAI, including keys that only old versions of the secret hold,
    then makes a new key, then allows readers again. If the command is stopped, reads stay denied; run it again to
    continue. Exits with 1 if a key that the secret holds is still valid, in another project or as the customer's own.

    Of a tenant without a key (`credential: federated`) it denies the runtime's sessions in IAM, deletes the federation
    rule, makes a new one, and allows new sessions: two deployments of its stack. Nothing takes a token back that is
    out: it lives up to 15 minutes more, and the command says until when. With `enabled: false` there is no new rule.

    With --dry-run it says which keys and rules are valid at OpenAI now, which of them it would end, and whether it
    would continue a run that was stopped.
    """
    if dry_run:
        _planned(tenant, run_revoke_plan.plan(fleet.resolve(), tenant, reason, report=output.step), as_json=as_json)
        return
    confirmed = partial(ask.confirmed, f"Revoke every key and session of {tenant} now?", yes=yes)
    done = run_revoke.revoke(fleet.resolve(), tenant, reason, confirmed=confirmed, report=output.step)
    if done.tokens is not None:
        _tokens(done, done.tokens, as_json=as_json)
        return
    seen = done.seen
    if seen.foreign:
        output.step(
            f"not revoked, because MyFlux did not make them and the secret does not hold them: "
            f"{', '.join(seen.foreign)}. If one of these has leaked, delete it on OpenAI's site, in project "
            f"{done.project}."
        )
    pasted = "".join(f" {one.hint} now." for one in done.tenant.consumers.used if one.hint)
    output.result(
        {
            "tenant": tenant,
            "version_id": done.version,
            "key_id": seen.current,
            "readable": done.readable,
            "steps": done.steps,
            "reason": done.reason,
            "foreign": list(seen.foreign),
            "beyond": [asdict(key) for key in seen.beyond],
        },
        sentence(tenant, done.version, seen) + pasted,
        as_json=as_json,
    )
    if seen.beyond:
        output.fail(
            "\n  ".join(
                [f"keys that the secret of {tenant} holds are still valid:", *(key.sentence for key in seen.beyond)]
            )
        )


def sentence(tenant: str, version: str, seen: Seen) -> str:
    """What the last check at OpenAI showed, and no more than that."""
    others = "" if seen.beyond else ", and refuses every other key that a version of its secret holds"
    return (
        f"{tenant} has a new key, {seen.current} (version {version}). OpenAI lists no other valid key of {tenant}"
        f"{others}."
    )


def _planned(slug: str, found: Planned, *, as_json: bool) -> None:
    stopped = found.stopped
    facts = {
        "tenant": slug,
        "dry_run": True,
        "plan": found.steps,
        "valid": asdict(found.valid),
        "kept": found.kept,
        "continues": {"by": stopped.by, "begun": stopped.begun, "done": stopped.done, "next": found.next}
        if stopped
        else None,
    }
    lines = [valid_now(found.valid)]
    if stopped:
        lines.append(
            f"Would continue the run that {stopped.by} started on {stopped.begun} (done so far: "
            f"{', '.join(stopped.done)}) from step `{found.next}`:"
        )
    else:
        lines.append("Would:")
    lines.append(output.numbered(found.steps))
    lines += [f"Would stay valid: {one}." for one in found.kept]
    output.result(facts, "\n".join(lines), as_json=as_json)


def _tokens(done: RevokedTenant, tokens: RevokedTokens, *, as_json: bool) -> None:
    slug = done.tenant.tenant
    output.result(
        {
            "tenant": slug,
            "rule_id": tokens.rule,
            "tokens_end": tokens.tokens_end.isoformat(),
            "readable": done.readable,
            "steps": done.steps,
            "reason": done.reason,
        },
        f"{slug}'s sessions from before get no token"
        + (f", and it has a new federation rule, {tokens.rule}. " if tokens.rule else ", and it has no rule. ")
        + ways_out.tokens_out(tokens.tokens_end),
        as_json=as_json,
    )
