"""All tenants and cells together, and the rules that take more than one file to check.

Owns `Fleet` and those rules. Leaves out reading files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from tenancy import aws_limits, policy_sizes
from tenancy.catalogue import shutdown
from tenancy.cell import Cell
from tenancy.document import Document
from tenancy.fields import FrozenMapping
from tenancy.problems import Problem, Refusal
from tenancy.slot_load import ROTATIONS_AN_HOUR, slot_load
from tenancy.tenant import Tenant


@dataclass(frozen=True)
class Fleet:
    """Every tenant and cell by slug. `notices` are no reason to stop, but somebody should read them."""

    tenants: Mapping[str, Tenant]
    cells: Mapping[str, Cell]
    notices: tuple[Problem, ...] = ()

    def cell_of(self, tenant: Tenant | str) -> Cell:
        """The cell that serves a tenant, given as model or slug. Raises KeyError for a tenant of no file."""
        slug = tenant if isinstance(tenant, str) else tenant.tenant
        return self.cells[self.tenants[slug].cell]

    def tenants_of(self, cell: Cell | str) -> tuple[Tenant, ...]:
        """The tenants that a cell serves, in order of slug."""
        slug = cell if isinstance(cell, str) else cell.cell
        return tuple(tenant for _, tenant in sorted(self.tenants.items()) if tenant.cell == slug)


def assemble(tenants: Mapping[str, Tenant], cells: Mapping[str, Cell], notices: tuple[Problem, ...]) -> Fleet:
    return Fleet(FrozenMapping(tenants), FrozenMapping(cells), notices)


def slug_problems(documents: list[Document], kind: str) -> Iterator[Problem]:
    """File names that differ from the slug inside, and slugs in two files; `kind` is ``tenant`` or ``cell``."""
    first: dict[str, str] = {}
    for document in documents:
        slug = document.data.get(kind)
        if not isinstance(slug, str):
            continue
        source = document.source
        if slug != source.stem:
            reason = (
                f"The file's name and its `{kind}` must be the same, so that a slug has one file and a file one slug."
            )
            yield document.problem(
                Refusal("file-name", reason, f"rename the file, or write `{kind}` as the file is called."), (kind,)
            )
        other = first.setdefault(slug.casefold(), source.file)
        if other != source.file:
            reason = (
                f"Two files describe one {kind}: {other} has this slug as well. Upper and lower case count as the same."
            )
            yield document.problem(
                Refusal(f"duplicate-{kind}", reason, "delete one of the files, or choose another slug."), (kind,)
            )


def cell_problems(document: Document, cell: Cell) -> Iterator[Problem]:
    for refusal in aws_limits.refusals(cell.names):
        yield document.problem(refusal, ("cell",))
    for refusal in policy_sizes.refusals(cell):
        yield document.problem(refusal, refusal.at)


def tenant_problems(document: Document, tenant: Tenant, cell: Cell) -> Iterator[Problem]:
    for refusal in aws_limits.refusals(cell.names.tenant(tenant.tenant)):
        yield document.problem(refusal, ("tenant",))
    if tenant.isolation == "dedicated" and cell.replicas:
        reason = (
            "The cell copies its tenants' secrets to other Regions under keys that they share, and a dedicated tenant "
            "is promised a KMS key that nobody else's secret uses."
        )
        way_out = "serve it from a cell without replicas, or write isolation: shared."
        yield document.problem(Refusal("dedicated-copied", reason, way_out), ("isolation",))


def unknown_cell(document: Document, cells: list[str]) -> Iterator[Problem]:
    """Takes the cells' slugs, also of cells with problems of their own: those are told once, in their own file."""
    cell = document.data.get("cell")
    if isinstance(cell, str) and cell not in cells:
        known = ", ".join(sorted(cells)) or "none yet"
        refusal = Refusal(
            "unknown-cell",
            f"There is no cells/ file for this cell. Known: {known}.",
            "name one of them, or add its file.",
        )
        yield document.problem(refusal, ("cell",))


def project_problems(
    documents: Mapping[str, Document], tenants: Mapping[str, Tenant], cells: Mapping[str, Cell]
) -> Iterator[Problem]:
    """An OpenAI project's name joins cell and tenant by a hyphen, which slugs hold too: a-b, c and a, b-c.

    That matters where two cells share an organization: there the second tenant would adopt the first one's project.
    """
    first: dict[tuple[str, str], str] = {}
    for slug, tenant in tenants.items():
        cell = cells.get(tenant.cell)
        if cell is None:
            continue
        project = cell.names.tenant(slug).project
        other = first.setdefault((tenant.organization_id or cell.openai.organization_id, project), slug)
        if other != slug:
            reason = f"Its OpenAI project would be {project}, as that of {other}, and both cells share an organization."
            yield documents[slug].problem(Refusal("project-collision", reason, "choose another slug."), ("tenant",))


def near(tenant: str, cells: list[str]) -> set[str]:
    """The slugs that a tenant may clash with, its own among them: what `project_problems` finds, by names alone."""
    projects = [f"{cell}-{tenant}" for cell in cells]
    clashing = {
        project.removeprefix(f"{cell}-") for project in projects for cell in cells if project.startswith(f"{cell}-")
    }
    return {slug.casefold() for slug in (tenant, *clashing)}


def notices(document: Document, tenant: Tenant) -> Iterator[Problem]:
    for place, model in enumerate(tenant.models):
        day = shutdown(model)
        if day is not None:
            reason = f"OpenAI shuts this model down on {day}; calls fail from then on."
            way_out = (
                "move to a model that stays: https://developers.openai.com/api/docs/deprecations names replacements."
            )
            yield document.problem(Refusal("model-retiring", reason, way_out), ("models", place))


def crowded_slots(document: Document, tenants: Iterable[Tenant], first: date) -> Iterator[Problem]:
    """An hour that holds more rotations than OpenAI's Admin API takes in one, in the year from `first`.

    `tenants` are those of every cell that shares the document's organization, since they share its budget of calls.
    """
    load = slot_load((tenant.schedule for tenant in tenants if tenant.schedule), first)
    if not load.fits:
        reason = (
            f"{load.peak} rotations of this cell's organization are due in one hour, first at "
            f"{load.peak_at:%Y-%m-%d %H:%M} UTC, and OpenAI's Admin API takes about {ROTATIONS_AN_HOUR}: the rest are "
            "answered 429 and come late."
        )
        way_out = (
            "let tenants rotate every 8 hours or less often, or give some of them a cell with another organization."
        )
        yield document.problem(Refusal("slots-crowded", reason, way_out), ("cell",))
