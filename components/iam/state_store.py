"""Policies of the bucket and of the KMS key that hold a cell's state, as pure functions that return dicts.

Owns also the statements that close any bucket of ours.
"""

from __future__ import annotations

from components.iam.statements import Document, Statement, document, key_administration
from myflux_keys.aws_names import CellNames


def state_bucket(names: CellNames, *, tls: bool = True) -> Document:
    """Nobody of another account, and nobody without TLS, reads or writes a state.

    `tls` False is for a local cell, whose addresses are on loopback and have no certificate.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """
    return document(*closed(names, f"arn:{names.partition}:s3:::{names.state_bucket}", tls=tls))


def closed(names: CellNames, bucket: str, *, tls: bool) -> list[Statement]:
    """`bucket` is the ARN of a bucket that nobody of another account reaches, and, with `tls`, nobody without TLS."""
    strangers = {"StringNotEquals": {"aws:PrincipalAccount": names.account_id}}
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    return [
        *([_deny("OnlyByTls", bucket, plain)] if tls else []),
        _deny("OnlyThisAccount", bucket, strangers),
    ]


def _deny(sid: str, bucket: str, condition: dict[str, dict[str, str]]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, f"{bucket}/*"],
        "Condition": condition,
    }


def state_key(names: CellNames) -> Document:
    """The account's IAM policies decide who encrypts and decrypts the state: those of people and of the pipeline name
    this key. No tenant's key is encrypted by it."""
    account = {"AWS": f"arn:{names.partition}:iam::{names.account_id}:root"}
    return document(
        key_administration(account),
        {
            "Sid": "StateBySomebodyOfThisAccount",
            "Effect": "Allow",
            "Principal": account,
            "Action": ["kms:Decrypt", "kms:Encrypt"],
            "Resource": "*",
        },
    )
