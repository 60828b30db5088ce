"""Sentences about faults of a tenant's secret, each with the command that repairs it: every command prints the same."""

# `myflux-keys up` is named where plain `pulumi up` is not enough: that compares the files with its state only, and does
# not see what was changed in AWS.

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from myflux_keys.identity import TOKEN_SECONDS
from myflux_keys.names import admin_secret, store_admin_key


def no_secret(slug: str) -> str:
    return (
        f"it has no secret: `myflux-keys up {slug}` makes one, with a first key unless the customer brings their own."
    )


def without_a_key(slug: str, what: str) -> str:
    """Why a command about keys refuses a tenant that gets tokens. `what` follows from it, without a full stop."""
    return (
        f"{slug} gets tokens and has no key, or is being switched (`credential` in its file), so {what}. "
        f"`myflux-keys credential {slug} --key` gives it a key."
    )


def last_token(slug: str) -> str:
    """What `disable` leaves of a tenant that gets tokens."""
    return (
        f"{slug} gets no new token; one that is out ends within {TOKEN_SECONDS // 60} minutes, and nothing takes it "
        "back."
    )


def tokens_out(ends: datetime) -> str:
    """After a rule was deleted. `ends` by AWS's clock."""
    return (
        f"A token that is out, AWS's or OpenAI's, ends by {ends.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z at the latest, and "
        "nothing takes it back."
    )


def hand_over(slug: str, consumer: str) -> str:
    """The command alone."""
    return f"myflux-keys handover {slug} --consumer {consumer}"


def rotation_off(slug: str) -> str:
    return f"rotation is off: `myflux-keys up {slug}` turns it on again, with a new key at once."


def no_policy(slug: str) -> str:
    return (
        f"its secret has no resource policy, so other tenants' readers are not denied: `myflux-keys up {slug}` "
        "restores the policy."
    )


def deletion_scheduled(slug: str, on: datetime | None = None, *, minted: bool) -> str:
    """`on` is when AWS deletes it, where that is known. `minted`: MyFlux mints its keys, in a project of OpenAI's."""
    return (
        f"its secret's deletion is scheduled{_on(on)}, so nobody can read it and it does not rotate: `myflux-keys "
        f"adopt {slug}` restores it with its key, or with a new key if that one is revoked or expired"
        f"{if_archived(slug) if minted else ''}."
    )


def if_archived(slug: str) -> str:
    """The end of a sentence that names `adopt`, which refuses such a tenant. Without a full stop."""
    return (
        "; if its OpenAI project is archived, as after `destroy`, the slug is used up: `myflux-keys new SLUG --from "
        f"{slug}`"
    )


def unknown_to_the_stack(slug: str, secret: str, stack: str) -> str:
    return (
        f"the secret {secret} exists, but it is not in the state of stack {stack}: `myflux-keys adopt {slug}` imports "
        "it with its key, or with a new key if that one is revoked or expired."
    )


def restored(secret: str, up: str) -> str:
    """For a secret that is in its stack's state and that `adopt` cannot import. `up` is the command for its stack."""
    return f"`aws secretsmanager restore-secret --secret-id {secret}`, then `{up}`."


def made_anew(secret: str, up: str, stored: str = "") -> str:
    """For a secret that is not in its stack's state and that `adopt` cannot import. `stored` is the command that fills
    it."""
    return (
        f"if its value is no longer needed, `aws secretsmanager delete-secret --secret-id {secret} "
        f"--force-delete-without-recovery`, then `{up}`{f', then `{stored}`' if stored else ''}. That cannot be undone."
    )


def name_blocked(secret: str, way_out: str, on: datetime | None = None) -> str:
    """For a secret that `adopt` cannot import. `on` is when AWS deletes it, where that is known."""
    return (
        f"the deletion of {secret} is scheduled{_on(on)}, and until then AWS creates no other secret of that name. Way "
        f"out: {way_out}"
    )


def _on(moment: datetime | None) -> str:
    return f" for {moment:%Y-%m-%d}" if moment else ""


def another_slug(slug: str) -> str:
    """Where the OpenAI project is archived, which is final."""
    return f"the slug cannot be used again: `myflux-keys new SLUG --from {slug}` gives the customer another."


def old_states_kept(bucket: str) -> str:
    """A command without quotes, for a bucket that holds the stacks' state."""
    return f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled"


def admin_key_replaced(cell: str) -> str:
    """A phrase without a full stop, for a cell's own admin key that is valid."""
    return f"`myflux-keys admin-key rotate --cell {cell}` replaces it now"


def no_platform(cell: str) -> str:
    """A phrase without a full stop. `pulumi up` is not named: it refuses a stack that does not exist yet."""
    return (
        f"cell {cell} has no platform yet, and its tenants need one: deploy it (`myflux-keys up --cell {cell}`), store "
        f"its OpenAI admin key (`{store_admin_key(admin_secret(cell))}`), then run the same command "
        "again"
    )


def function_gone(function: str, cell: str) -> str:
    """Of a cell whose platform is deployed."""
    return f"there is no function {function}: `pulumi up --refresh --stack {cell}` makes it."


def deploy_platform(cell: str) -> str:
    """For functions of another version than the checkout."""
    return (
        f"Deploy the platform from this checkout (`myflux-keys up --cell {cell}`; the platform alone: `pulumi up "
        f"--stack {cell}`), then run the same command again."
    )


def no_function(function: str, cell: str) -> str:
    """Of a cell whose platform may not be deployed: then its stack does not exist, and `pulumi up` refuses it."""
    return (
        f"there is no function {function}: if the cell has no platform yet, `myflux-keys up --cell {cell}` makes it; "
        f"if it was deleted, `pulumi up --refresh --stack {cell}` does."
    )


def deleted_trusted(role: str, ids: Sequence[str]) -> str:
    """A phrase without a full stop."""
    return f"{role}: it trusts {', '.join(ids)}, which was deleted"


def nobody_trusted(principal: str, cell: str) -> str:
    return (
        f"{principal} does not exist, so AWS refuses a role that trusts it: correct runtime_principals in "
        f"cells/{cell}.yaml, or make that user or role first."
    )
