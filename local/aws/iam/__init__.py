"""AWS's rules of identity and access that MiniStack lacks or has wrong, installed while it runs.

Owns the order in which they are installed, one rule in each file. No file of MiniStack is changed.

    attachments        What IAM checks before it attaches a managed policy
    authorize          Whether the caller of the current request, or a service, may do a further action
    bucket_headers     Further actions that S3 asks for by a request's headers
    callers            The caller behind an access key, with every policy and condition key that comes with them
    conditions         Whether a request meets a statement's Condition element
    control_endpoints  MiniStack's own endpoints under ``/_ministack/``
    dead_letters       A function's dead-letter target: its role must be allowed to send there
    decision           AWS's evaluation logic: from all policies that apply to the verdict and its reason
    deliveries         Delivery to a function, topic or queue: its policy must allow it
    denials            AWS's text for a denied call
    missing_objects    an object that is not there, for a caller who may not list
    dependent_actions  Further actions that a request needs: tagging what it creates, passing a role, a session's tags
    dispatch           Reads each request, refuses it if it is ambiguous, serves and records it
    enforcement        The authorization of every call
    function_roles     A function's role: Lambda must be able to assume it, and the code has only its credentials
    identity_policies  The grammar of an identity policy, checked before it is stored
    key_policies       What KMS checks before it accepts a key policy
    key_values         Condition keys' values, as the evaluator takes them
    kms_keys           KMS's condition keys: what a request asks for, and what its key is
    operators          The condition operators' comparisons: one value of the request with one value of the policy
    patching           How a function of MiniStack is replaced while it runs
    patterns           Expands wildcards and policy variables for one request
    permissions        Whom the permission to call a function may name
    policy             A policy document as statements that can be matched
    policy_sizes       IAM's limits on the size of policies
    principal_ids      A stored policy names a user or role by its unique id, not by its ARN
    principals         The caller, and whether a policy's Principal or NotPrincipal element names it
    request            The current request, as every rule here reads it
    request_keys       The condition keys from a request: its tags, its parameters, its resource's tags
    request_limits     The lengths, ranges and patterns of IAM's parameters and tags
    resource_policies  The policy of a resource
    resources          Which resources a request works on, where MiniStack differs from AWS
    root_keys          Removes MiniStack's access keys that skip every check
    second_factors     MFA devices, and AssumeRole with a device's code
    secret_keys        The condition keys of Secrets Manager, by action
    service_calls      Resource policies that MiniStack's services consult by themselves
    sessions           What AWS checks of AssumeRole beyond the right to do it: how long, and with which tags
    tags_on_create     The action that tagging something needs when it is created
    trust_policies     What IAM checks before it accepts a trust policy, and how it shows one
    user_policies      What each user of the local cell may do
    users              The local cell's IAM users, made by IAM's own operations, with real random access keys
    web_identity       AssumeRoleWithWebIdentity: a verified token, then the role's trust policy with its claims
    web_identity_tokens  What STS checks of a token by itself: signature, issuer, audience, time
"""

from __future__ import annotations

from pathlib import Path

from local.aws.iam.authorize import AccessDenied, authorize, authorize_service

__all__ = ["AccessDenied", "authorize", "authorize_service", "install"]


def install(home: Path) -> None:
    """Patches MiniStack, makes the cell's users and writes their access keys to `home/credentials`.

    Called once, after MiniStack's import and before it serves. Raises patching.UnexpectedShape.
    """
    from local.aws.iam import (
        attachments,
        control_endpoints,
        deliveries,
        dispatch,
        enforcement,
        function_roles,
        identity_policies,
        key_policies,
        patching,
        permissions,
        policy_sizes,
        request_limits,
        root_keys,
        second_factors,
        service_calls,
        sessions,
        trust_policies,
        users,
        web_identity,
    )
    from local.aws.trail import delivery, history, lookup

    patching.require_version()
    for rule in (
        root_keys,
        enforcement,
        service_calls,
        second_factors,
        deliveries,
        sessions,
        function_roles,
        permissions,
        key_policies,
        trust_policies,
        policy_sizes,
        identity_policies,
        attachments,
        request_limits,
        history,
        delivery,
        lookup,
        dispatch,
        control_endpoints,
    ):
        rule.install()
    web_identity.install(home)
    users.install(home)
