"""What is wrong with a tenant's secret, in words, and the command that mends it.

Owns these sentences, so that every command names the same way out and one test walks each. Leaves out finding the
fault (`standing`, `rotate`, `access`). `myflux-keys up` is named where plain `pulumi up` would not do: that compares
the files with its state alone, and sees nothing of what was changed in AWS.
"""

from __future__ import annotations

from datetime import datetime


def no_secret(slug: str) -> str:
    return f"it has no secret: `myflux-keys up {slug}` makes it, and rotates at once where its keys are made here."


def rotation_off(slug: str) -> str:
    return f"rotation is off: `myflux-keys up {slug}` turns it on again, with a new key at once."


def no_policy(slug: str) -> str:
    return (
        f"its secret has no resource policy, so nothing tells its readers apart: `myflux-keys up {slug}` puts it back."
    )


def deletion_scheduled(slug: str, on: datetime | None = None) -> str:
    """`on` is when AWS deletes it, where that is known."""
    when = f" for {on:%Y-%m-%d}" if on else ""
    return (
        f"its secret's deletion is scheduled{when}, so nobody reads and nothing rotates: `myflux-keys adopt {slug}` "
        "takes it back with the key that it holds, or with a new one where that key is dead."
    )


def unknown_to_the_stack(slug: str, secret: str, stack: str) -> str:
    return (
        f"the secret {secret} exists, and stack {stack} does not know it: `myflux-keys adopt {slug}` takes it over "
        "with the key that it holds, or with a new one where that key is dead."
    )


def restored(secret: str, up: str) -> str:
    """For a secret that its stack knows and `adopt` does not take. `up` is the command that brings its stack up."""
    return f"`aws secretsmanager restore-secret --secret-id {secret}`, then `{up}`."


def made_anew(secret: str, up: str, stored: str = "") -> str:
    """For a secret that its stack does not know and `adopt` does not take. `stored` is the command that fills it."""
    return (
        f"where what it holds is of no use any more, `aws secretsmanager delete-secret --secret-id {secret} "
        f"--force-delete-without-recovery`, then `{up}`{f', then `{stored}`' if stored else ''}. That cannot be undone."
    )


def another_slug(slug: str) -> str:
    """Where the OpenAI project is archived, which is final."""
    return f"the slug is used up: `myflux-keys new SLUG --from {slug}` gives the customer another."


def function_gone(function: str, cell: str) -> str:
    """Also before the cell's first `up`."""
    return f"there is no function {function}: `pulumi up --refresh --stack {cell}` makes it."
