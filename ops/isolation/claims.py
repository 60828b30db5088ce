"""What must hold of a cell, for all tenants, principals and tags.

Owns the claims and their sentences. Leaves out the requests of each claim (`attempts`), the solver (`proof`) and the
report (`counterexample`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ops.isolation.attempts import (
    GOVERN,
    READ,
    About,
    Attempt,
    across,
    becoming,
    becoming_function,
    decrypting,
    disabled,
    keys,
    others,
    own_reads,
    reading,
    runtimes,
    storing,
    writing,
)
from ops.isolation.deployment import Deployment, Shape
from ops.isolation.handover import becoming_people, beyond_the_current, is_pasted, refused_reads, shut_out
from ops.isolation.pipeline_state import beyond_its_stacks
from ops.isolation.terms import constant
from ops.isolation.tokens import by_others, for_another, for_strangers, refused, writing_identities
from tenancy import Cell


@dataclass(frozen=True)
class Claim:
    name: str
    text: str
    about: About = field(repr=False)
    made: Callable[[About], Iterable[Attempt]] = field(repr=False)
    """Made only when needed, since there are hundreds of formulas."""
    of_tenants: bool = False
    """Whether it speaks of tenants' secrets alone, so that of a cell without any it says nothing."""

    def attempts(self) -> Iterable[Attempt]:
        """On every tenant that there can be."""
        return self.made(self.about)

    def on_one_tenant(self) -> Iterable[Attempt]:
        """What succeeds here succeeds: it is one of those attempts. That all fail here proves nothing."""
        return self.made(replace(self.about, owner=constant(_SOME_TENANT)))


_SOME_TENANT: Final = "some-tenant"
_WATCHER: Final = ", and the health function,"


def claims(deployment: Deployment, cell: Cell) -> list[Claim]:
    """`attempts` raises CannotJudgeError for documents that the model cannot express exactly.

    A copy in another Region is a secret of its own to whoever tries it. That the runtime decrypts one is not claimed:
    its key is the operator's, and no stack holds that key's policy.
    """
    about = About(deployment, cell)
    everywhere = [one for shape in deployment.shapes for one in shape.everywhere]
    return [
        Claim(
            "tenants-stay-apart",
            "A session tagged with one tenant, or with none, never reads another tenant's secret.",
            about,
            lambda about: (a for shape in everywhere for a in across(about, shape)),
            of_tenants=True,
        ),
        Claim(
            "only-readers-read",
            "Nobody but a tenant's runtime, the rotation, the sweep, the health function and the hand-over role reads "
            "its secret, administrators and other accounts included.",
            about,
            lambda about: (a for shape in everywhere for a in reading(about, shape)),
            of_tenants=True,
        ),
        Claim(
            "only-functions-read-the-admin-key",
            "Nobody but the functions reads an OpenAI admin key, the cell's or a customer's.",
            about,
            lambda about: (a for secret in about.admins for a in others(about, secret, READ, about.functions)),
        ),
        Claim(
            "only-the-named-become-the-runtime",
            f"Only the principals that the cell's file names{_WATCHER if cell.federation.enabled else ''} get a "
            "session that reads, and only tagged with one tenant.",
            about,
            lambda about: (a for role in runtimes(about) for a in becoming(about, *role)),
        ),
        Claim(
            "nobody-becomes-a-function",
            "No user and no role becomes a function's role.",
            about,
            lambda about: (
                a for arn in sorted(about.functions) for a in becoming_function(about.deployment.roles.get(arn))
            ),
        ),
        Claim(
            "only-deployers-govern",
            "Nobody but the cell's deployers changes a secret's tags, policy, encryption, rotation or life.",
            about,
            lambda about: (
                attempt
                for secret in (*(shape.secret for shape in everywhere), *about.admins)
                for attempt in others(about, secret, GOVERN, set(), about.cell.governors)
            ),
        ),
        Claim(
            "only-writers-write",
            "A managed tenant's secret is written by the rotation alone; a customer's own and admin keys also by "
            "deployers, and a customer's own by connect's promoter. Neither reads them.",
            about,
            lambda about: (*(a for shape in everywhere for a in writing(about, shape)), *storing(about)),
        ),
        Claim(
            "keys-open-for-secrets-only",
            "A KMS key decrypts through Secrets Manager alone, for this cell's secrets, and for nobody outside it.",
            about,
            lambda about: (a for secret, owner in keys(about) for a in decrypting(about, secret, owner)),
        ),
        Claim(
            "a-disabled-tenant-is-refused",
            "With the statement that `enabled: false` adds, a tenant's runtime and the hand-over role read nothing.",
            about,
            lambda about: (a for shape in everywhere for a in (*disabled(about, shape), *shut_out(about, shape))),
            of_tenants=True,
        ),
        Claim(
            "the-runtime-reads-its-own",
            "Every enabled tenant's runtime, tagged with it, reads its secret and decrypts it: the rest is not empty.",
            about,
            lambda about: (a for shape in about.deployment.shapes for a in own_reads(about, shape)),
            of_tenants=True,
        ),
        *([_state(about)] if cell.pipeline else []),
        *(_handover(about, everywhere) if cell.handover else []),
        *(_tokens(about) if cell.federation.enabled else []),
    ]


def _handover(about: About, everywhere: Sequence[Shape]) -> Iterator[Claim]:
    yield Claim(
        "only-people-hand-over",
        "Only the people that the cell's file names become the hand-over role: with a second factor, and tagged with "
        "one tenant.",
        about,
        becoming_people,
    )
    yield Claim(
        "people-read-what-they-paste",
        "The hand-over role reads the current key alone, of its session's tenant, and only where a person pastes it.",
        about,
        lambda about: (a for shape in everywhere for a in beyond_the_current(about, shape)),
        of_tenants=True,
    )
    if any(map(is_pasted, about.deployment.shapes)):
        yield Claim(
            "people-read-their-tenants",
            "Each current key that a person pastes can be read and decrypted by the hand-over role.",
            about,
            lambda about: (
                a
                for shape in about.deployment.shapes
                if '"TenantDisabled"' not in shape.secret.policy
                for a in refused_reads(about, shape)
            ),
            of_tenants=True,
        )


def _tokens(about: About) -> Iterator[Claim]:
    """Those on tenants' rules only where there is one: without a rule OpenAI takes no token."""
    yield Claim(
        "tokens-are-for-openai-alone",
        "A token that a role of the cell gets from AWS is for the cell's audience and no other, and is valid for 15 "
        "minutes at most.",
        about,
        for_strangers,
    )
    yield Claim(
        "only-deployers-write-identities",
        "Nobody but deployers and the pipeline writes a tenant's identity, which says where its token goes.",
        about,
        writing_identities,
    )
    if not about.deployment.identities:
        return
    yield Claim(
        "tokens-stay-apart",
        "A session tagged with one tenant, or with none, never gets a token that OpenAI takes for another tenant.",
        about,
        lambda about: (a for identity in about.deployment.identities for a in for_another(about, identity)),
    )
    yield Claim(
        "only-the-runtime-gets-tokens",
        "Nobody but a session of the runtime role gets a token that OpenAI takes for a tenant, administrators and "
        "other accounts included.",
        about,
        lambda about: (a for identity in about.deployment.identities for a in by_others(about, identity)),
    )
    yield Claim(
        "the-runtime-gets-its-own-token",
        "Every federated tenant's runtime, tagged with it, reads its identity and gets its token.",
        about,
        lambda about: (a for identity in about.deployment.identities for a in refused(about, identity)),
    )


def _state(about: About) -> Claim:
    return Claim(
        "a-pipeline-keeps-to-its-stacks-state",
        "A pipeline's role changes no state but that of the stacks that it deploys, and reads no other cell's.",
        about,
        beyond_its_stacks,
    )
