"""What a pipeline's role must not do in S3, object by object: state of stacks that it does not deploy, and what the
health function remembers.

Owns the objects, as the engine names them, and who may touch them. Leaves out the claim (`claims`). The names are
written here and not read from a policy, so that an object that a policy forgets is still tried. Bucket, project, stack
and file are any. An object is one text of a regular language, since the solver gives no answer about texts that are
joined from several.
https://github.com/pulumi/pulumi/blob/v3.250.0/pkg/backend/diy/store.go
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import z3

from myflux_keys.declaration import CATALOGUE, DECLARATIONS
from ops.isolation.attempts import About, Attempt
from ops.isolation.decision import Caller, Lock, Request, allowed, covers
from ops.isolation.policy import Policy
from ops.isolation.requests import SLUG, a_role
from ops.isolation.terms import all_of, arn, constant

Language = Any
"""A z3 regular expression."""

_FOLDERS: Final = ("locks/organization", "history", "backups")
_CHANGE: Final = ("PutObject", "DeleteObject")
_ANY: Final = (*_CHANGE, "GetObject")
_FILES: Final = (".json", ".json.bak", ".json.gz", ".json.gz.bak", ".json.zst", ".json.zst.bak", ".pulumi-tags")
_NAME: Final[Language] = z3.Plus(z3.Union(z3.Range(" ", "."), z3.Range("0", "~")))
"""One name, not a path."""


def beyond_its_stacks(about: About) -> Iterator[Attempt]:
    """Nothing where no pipeline's role is deployed. Examples come first: the solver finds no proof where there is none,
    and no object either."""
    names, pipeline, kept = about.names, about.cell.pipeline, about.cell.kept_in
    role = about.deployment.roles.get(names.role_arn(names.deployer_role))
    if role is None or pipeline is None or kept is None:
        return
    caller, lock = a_role(role), Lock(Policy(()))
    place = z3.String("bucket and object")
    resource = arn("arn", names.partition, "s3", "", "", place)
    platform = pipeline.deploys == "everything"
    examples = [(place == f"{kept.bucket}/{key}", done) for key, done in _examples(names.cell, platform)]
    examples += [(place == f"{names.health_bucket}/health/state.json", ("GetObject", "PutObject"))]
    elsewhere = z3.Intersect(_NAME, z3.Complement(z3.Re(names.health_bucket)))
    every = [(z3.InRe(place, _joined(elsewhere, "/", keys)), done) for keys, done in _states(names.cell, platform)]
    every += [(z3.InRe(place, objects), done) for objects, done in _others(elsewhere, names.health_bucket, platform)]
    for there, actions in examples:
        for action in actions:
            request = Request(f"s3:{action}", resource, constant(names.account_id), {})
            yield Attempt(all_of([there, allowed(caller, request, lock)]), caller, request, lock, f"role {role.name}")
    for there, actions in every:
        for action in actions:
            request = Request(f"s3:{action}", resource, constant(names.account_id), {})
            for alone in _one_by_one(caller, request.action):
                yield Attempt(all_of([there, allowed(alone, request, lock)]), alone, request, lock, f"role {role.name}")


def _one_by_one(caller: Caller, action: str) -> Iterator[Caller]:
    """`caller` with one pattern of resources at a time: of all together the solver cannot say that none matches. What
    is denied, or beyond the boundary, counts as allowed, so nothing is lost."""
    for policy in caller.identity or ():
        for statement in policy.statements:
            if not statement.allow or not covers(statement, action):
                continue
            patterns = statement.resources or ()
            singles = (
                [statement]
                if statement.resources_excluded
                else [replace(statement, resources=(one,)) for one in patterns]
            )
            for single in singles:
                yield replace(caller, identity=[Policy((single,), policy.owner)], boundary=None)


def _states(cell: str, platform: bool) -> Iterator[tuple[Language, Sequence[str]]]:
    """Keys within a bucket, and the actions that must fail on each. `platform`: the pipeline deploys it too."""
    other = z3.Intersect(SLUG, z3.Complement(z3.Re(cell)))
    files = z3.Union(*map(z3.Re, _FILES))
    for folder, end in [("stacks", files)] + [(one, _joined("/", _NAME)) for one in _FOLDERS]:
        before = (f".pulumi/{folder}/", _NAME, "/")
        if not platform:
            yield _joined(*before, cell, end), _CHANGE
        yield _joined(*before, other, end), _ANY
        yield _joined(*before, SLUG, ".", other, end), _ANY
    yield z3.Re(".pulumi/meta.yaml"), _CHANGE


def _others(elsewhere: Language, health_bucket: str, platform: bool) -> Iterator[tuple[Language, Sequence[str]]]:
    """Buckets with keys that are no state, and the actions that must fail on each. In the bucket of declarations the
    pipeline writes those and reads the catalogue, which the platform's pipeline writes too; to delete the bucket, that
    one deletes all objects in it."""
    every = z3.Full(z3.ReSort(z3.StringSort()))
    yield _joined(elsewhere, "/", z3.Complement(_joined(".pulumi/", every))), _ANY
    declarations = _joined(DECLARATIONS, every)
    read = z3.Union(declarations, z3.Re(CATALOGUE))
    yield _joined(health_bucket, "/", z3.Complement(read)), ("GetObject", "PutObject") if platform else _ANY
    if not platform:
        yield _joined(health_bucket, "/", CATALOGUE), _CHANGE


def _examples(cell: str, platform: bool) -> Iterator[tuple[str, Sequence[str]]]:
    """One or two of each language of `_states`, and one of `_others`."""
    others = [
        stack for other in ("other", f"{cell}-two") for stack in (other, f"some-tenant.{other}", f"{cell}.{other}")
    ]
    for folder in ("stacks", *_FOLDERS):
        for stack in others if platform else (cell, *others):
            file = ".json" if folder == "stacks" else "/1.json"
            yield f".pulumi/{folder}/myflux-keys/{stack}{file}", _CHANGE if stack == cell else _ANY
    yield ".pulumi/meta.yaml", _CHANGE
    yield "another-teams-file", _ANY


def _joined(*parts: str | Language) -> Language:
    return z3.Concat(*(z3.Re(part) if isinstance(part, str) else part for part in parts))
