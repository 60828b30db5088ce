"""No AWS credential is created by Pulumi, or given to it as a property.

Owns the types whose outputs are credentials, and the AWS provider's own. Leaves out text that is shaped like a key
(`plaintext`): a secret access key has no shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .config import Config
from .model import UNKNOWN, Finding, Rule, Stack, unknown, violation
from .provider import AWS_PROVIDER

_MADE: Final = {
    "aws:iam/accessKey:AccessKey": ("pgpKey", "an IAM user's access key"),
    "aws:iam/userLoginProfile:UserLoginProfile": ("pgpKey", "an IAM user's password"),
    "aws:iam/serviceSpecificCredential:ServiceSpecificCredential": ("", "an IAM user's credential for a service"),
    "aws:iam/virtualMfaDevice:VirtualMfaDevice": ("", "the seed of an IAM user's second factor"),
    "aws:lightsail/bucketAccessKey:BucketAccessKey": ("", "an access key"),
}
"""Resource type to the property with the public key that encrypts the credential, and what it is."""
_GIVEN: Final = ("accessKey", "secretKey", "token")


def _in_state(stack: Stack, _: Config) -> Iterator[Finding]:
    for resource in stack:
        if resource.type in _MADE:
            encrypts, what = _MADE[resource.type]
            with_ = resource.get(encrypts) if encrypts else None
            if with_ is UNKNOWN:
                yield unknown(resource, encrypts)
            elif not with_:
                yield violation(resource, "", f"the state would hold {what}")
        elif resource.type == AWS_PROVIDER:
            for path in _GIVEN:
                if resource.get(path):
                    yield violation(resource, path, "the state would hold the credentials of the deployment")


CREDENTIAL_RULES: Final = (
    Rule(
        name="no-credential-in-state",
        severity="critical",
        level="mandatory",
        description="Pulumi creates no access key, password or second factor of an IAM user in plain text, and the AWS "
        "provider has no credentials as properties.",
        rationale="Whoever reads the stack's state becomes that user: one that may assume the runtime role reads every "
        "tenant's key.",
        fix="Use roles. Take a deployment's credentials from its environment. If a user must have a key, give "
        "`pgp_key`, with which AWS's provider encrypts it.",
        source="https://www.pulumi.com/registry/packages/aws/api-docs/iam/accesskey/",
        check=_in_state,
        scope="resource",
    ),
)
