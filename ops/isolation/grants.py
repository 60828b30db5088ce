"""The access matrix, to compare and to print: which principal may do what with which secret.

Owns the table for a reviewer. Leaves out where the grants come from (`access`) and the drawing (`picture`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ops.isolation import picture
from ops.isolation.attempts import GOVERN, WRITE
from ops.isolation.concrete import ISSUE
from ops.isolation.picture import Mark

Kind = Literal["runtime", "function", "handover", "person"]

GROUPS: Final[Mapping[str, Sequence[str]]] = {"read": ("GetSecretValue",), "write": WRITE, "govern": GOVERN}
"""Operations by what they do. A batch read also needs GetSecretValue for each secret."""

TOKENS: Final[Mapping[str, Sequence[str]]] = {"token": (ISSUE,)}
"""The group of the columns of tenants without a key."""

KINDS: Final[Mapping[Kind, str]] = {
    "runtime": "Runtime sessions",
    "function": "Functions",
    "handover": "People who hand a key over, with a second factor",
    "person": "People, with every right that a policy of their own can give",
}


@dataclass(frozen=True)
class Principal:
    """A row. `tag` is the tenant that its session is tagged with."""

    label: str
    kind: Kind
    arn: str
    tag: str | None = None


@dataclass(frozen=True)
class Grant:
    """`principal` and `secret` are labels. Not `certain` where it depends on something that the model does not know."""

    principal: str
    secret: str
    action: str
    certain: bool = True


@dataclass(frozen=True)
class Matrix:
    """`secrets` are labels too, as are `tokens` of tenants without a key. `alike` holds tenants that represent others
    with the same documents, with the number of these tenants. `unread` is the reason why the matrix is empty."""

    cell: str
    principals: tuple[Principal, ...]
    secrets: tuple[str, ...]
    grants: frozenset[Grant]
    alike: tuple[tuple[str, int], ...] = ()
    unread: str = ""
    tokens: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.secrets, *self.tokens)

    @property
    def groups(self) -> Mapping[str, Sequence[str]]:
        return {**GROUPS, **(TOKENS if self.tokens else {})}

    def granted(self, principal: str, secret: str, group: str) -> list[Grant]:
        return [
            grant
            for grant in self.grants
            if (grant.principal, grant.secret) == (principal, secret) and grant.action in self.groups[group]
        ]

    def marks(self, principal: str, secret: str) -> dict[str, Mark]:
        """For each group of operations whether none, some or all of it is granted."""
        groups = self.groups
        return {group: _mark(self.granted(principal, secret, group), groups[group]) for group in groups}

    def markdown(self) -> str:
        if self.unread:
            return f"The matrix cannot be calculated: {self.unread}.\n"
        return "\n".join([*self._table(), "", *self._notes()]) + "\n"

    def svg(self) -> str:
        """A picture for light and dark pages, the same for the same matrix."""
        sections = [
            picture.Section(heading, [picture.Row(p.label, self._row(p)) for p in self.principals if p.kind == kind])
            for kind, heading in KINDS.items()
        ]
        what = "secrets and tokens" if self.tokens else "secrets"
        return picture.drawn(f"Access to the {what} of cell {self.cell}", list(self.groups), self.columns, sections)

    def _row(self, principal: Principal) -> list[dict[str, Mark]]:
        return [self.marks(principal.label, column) for column in self.columns]

    def _table(self) -> Iterator[str]:
        yield f"| | {' | '.join(self.columns)} |"
        yield f"|---|{'---|' * len(self.columns)}"
        for kind, heading in KINDS.items():
            yield f"| **{heading}** |{' |' * len(self.columns)}"
            for principal in self.principals:
                if principal.kind == kind:
                    cells = [_words(marks) or "–" for marks in self._row(principal)]
                    yield f"| {principal.label} | {' | '.join(cells)} |"

    def _notes(self) -> Iterator[str]:
        for group, actions in self.groups.items():
            yield f"- **{group}**: {', '.join(f'`{action}`' for action in actions)}"
        partly = sorted(
            f"{principal.label} on {secret}: {', '.join(f'`{g.action}`' for g in sorted(found, key=_by_action))}"
            for principal in self.principals
            for secret in self.secrets
            for group, actions in GROUPS.items()
            if _mark(found := self.granted(principal.label, secret, group), actions) == "some"
        )
        if partly:
            yield f"- **in part**: {'; '.join(partly)}"
        if any(not grant.certain for grant in self.grants):
            yield "- **?**: depends on something that the model does not know, and counts as granted"
        for tenant, count in self.alike:
            yield f"- {tenant} is shown for {count} tenants, which have the same documents"


def _by_action(grant: Grant) -> str:
    return grant.action


def _mark(found: Sequence[Grant], actions: Sequence[str]) -> Mark:
    if any(not grant.certain for grant in found):
        return "unsure"
    return "none" if not found else "all" if len(found) == len(actions) else "some"


def _words(marks: Mapping[str, Mark]) -> str:
    word = {"all": "{}", "some": "{} in part", "unsure": "{}?"}
    return ", ".join(word[mark].format(group) for group, mark in marks.items() if mark != "none")
