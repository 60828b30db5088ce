"""Outbound web identity federation: an account's own issuer, and the tokens that STS signs for its roles.

accounts     Which accounts have federation enabled, and IAM's three operations on it
claims       What a token says of its principal, session and request
documents    The issuer's discovery document and key set, over HTTP
issuer_keys  An issuer's signing keys, and what is published of them
requests     Reads a request for a token, and refuses what AWS's limits do not allow
settings     What AWS leaves open about tokens, as a choice of the cell
tokens       STS's GetWebIdentityToken

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
"""

from __future__ import annotations

from pathlib import Path


def install(home: Path) -> None:
    """Called once, after `local.aws.iam.install`. Raises patching.UnexpectedShape."""
    from local.aws.federation import accounts, documents, tokens

    for rule in (accounts, documents, tokens):
        rule.install(home)
