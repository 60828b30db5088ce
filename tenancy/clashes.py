"""The rules on files that are valid by themselves: names that clash, and limits of AWS and OpenAI that files share.

Leaves out the fields of one file (`tenant`, `cell`) and reading files (`loading`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from myflux_keys.identity import MOST_PROVIDERS, MOST_RULES
from tenancy import aws_limits, policy_sizes
from tenancy.catalogue import REPLACEMENTS, shutdown
from tenancy.cell import Cell
from tenancy.document import Document
from tenancy.federation import most_tenants, providers
from tenancy.problems import Problem, Refusal
from tenancy.slot_load import ROTATIONS_AN_HOUR, slot_load
from tenancy.state import state_notices
from tenancy.tenant import Tenant


def slug_problems(documents: list[Document], kind: str) -> Iterator[Problem]:
    """File names that differ from the slug inside, and slugs in two files; `kind` is ``tenant`` or ``cell``."""
    first: dict[str, str] = {}
    for document in documents:
        slug = document.data.get(kind)
        if not isinstance(slug, str):
            continue
        source = document.source
        if slug != source.stem:
            reason = f"The file's name must be the same as its `{kind}`, so that each slug has exactly one file."
            yield document.problem(
                Refusal("file-name", reason, f"rename the file, or write the file's name in `{kind}`."), (kind,)
            )
        other = first.setdefault(slug.casefold(), source.file)
        if other != source.file:
            reason = (
                f"Two files describe one {kind}: {other} has this slug too. Upper and lower case count as the same."
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
            "A dedicated tenant has a KMS key that no other tenant's secret uses, but this cell replicates secrets to "
            "other Regions under KMS keys that its tenants share."
        )
        way_out = "choose a cell without replicas, or write isolation: shared."
        yield document.problem(Refusal("dedicated-copied", reason, way_out), ("isolation",))
    if tenant.has_identity and not cell.federation.enabled:
        field = "credential" if tenant.credential == "federated" else "switching_from"
        reason = f"Cell {cell.cell} has no federation: AWS signs no token for its runtime."
        way_out = (
            f"add federation: {{enabled: true}} to cells/{cell.cell}.yaml and deploy its platform, or delete "
            "`credential` and `switching_from`."
        )
        yield document.problem(Refusal("cell-without-federation", reason, way_out), (field,))


def unknown_cell(document: Document, cells: list[str]) -> Iterator[Problem]:
    """Refuses a tenant's unknown cell. `cells` are the slugs of all cell files, also of invalid ones: their problems
    are reported in their own files only."""
    cell = document.data.get("cell")
    if isinstance(cell, str) and cell not in cells:
        known = ", ".join(sorted(cells)) or "none yet"
        refusal = Refusal(
            "unknown-cell",
            f"There is no file in cells/ for this cell. Known cells: {known}.",
            "write one of them, or add the cell's file.",
        )
        yield document.problem(refusal, ("cell",))


def project_problems(
    documents: Mapping[str, Document], tenants: Mapping[str, Tenant], cells: Mapping[str, Cell]
) -> Iterator[Problem]:
    """Two tenants whose OpenAI projects would have the same name: a name joins the slugs of cell and tenant by a
    hyphen, which slugs may hold too (a-b, c and a, b-c).

    It matters where two cells share an organization: there the second tenant would adopt the first one's project.
    """
    first: dict[tuple[str, str], str] = {}
    for slug, tenant in tenants.items():
        cell = cells.get(tenant.cell)
        if cell is None:
            continue
        project = cell.names.tenant(slug).project
        other = first.setdefault((tenant.organization_id or cell.openai.organization_id, project), slug)
        if other != slug:
            reason = (
                f"Its OpenAI project would be named {project}, like the project of {other} in the same organization."
            )
            yield documents[slug].problem(Refusal("project-collision", reason, "choose another slug."), ("tenant",))


def federation_problems(
    documents: Mapping[str, Document], tenants: Iterable[Tenant], cells: Mapping[str, Cell]
) -> Iterator[Problem]:
    """What the cells of one AWS account, or of one OpenAI organization, share for tenants without a key."""
    first: dict[str, str] = {}
    for slug, cell in cells.items():
        if not cell.federation.enabled or cell.federation.issuer is not None:
            continue
        other = first.setdefault(cell.account_id, slug)
        if other != slug:
            reason = (
                f"An AWS account has one outbound federation, and cell {other} of the same account makes it too: the "
                "second platform's deployment would fail."
            )
            way_out = (
                "write federation.issuer in the cell that is deployed later: "
                "`aws iam get-outbound-web-identity-federation-info` prints it."
            )
            yield documents[slug].problem(Refusal("federation-twice", reason, way_out), ("federation", "enabled"))
    yield from _federation_room(documents, tenants, cells)


def _federation_room(
    documents: Mapping[str, Document], tenants: Iterable[Tenant], cells: Mapping[str, Cell]
) -> Iterator[Problem]:
    """A cell's tenants share providers, and cells share their organization's number of them."""
    keyless = Counter(tenant.cell for tenant in tenants if tenant.has_identity and tenant.cell in cells)
    organizations: dict[str, list[str]] = {}
    for slug in cells:
        if keyless[slug]:
            organizations.setdefault(cells[slug].openai.organization_id, []).append(slug)
    for organization, sharing in organizations.items():
        counts = {slug: keyless[slug] for slug in sharing}
        if any(count > most_tenants(slug, counts) for slug, count in counts.items()):
            needed = sum(map(providers, counts.values()))
            reason = (
                f"The {sum(counts.values())} tenants without a key in OpenAI organization "
                f"{organization} (cells: {', '.join(sharing)}) need {needed} identity providers of {MOST_RULES} "
                f"tenants each, and OpenAI allows {MOST_PROVIDERS} an organization."
            )
            way_out = "let some tenants have credential: key, or a cell with another organization."
            yield documents[sharing[0]].problem(Refusal("too-many-federated", reason, way_out), ("cell",))


def may_clash(tenant: str, cells: list[str]) -> set[str]:
    """The tenant's slug and those whose project could have the same name (`project_problems`), all in lower case."""
    projects = [f"{cell}-{tenant}" for cell in cells]
    clashing = {
        project.removeprefix(f"{cell}-") for project in projects for cell in cells if project.startswith(f"{cell}-")
    }
    return {slug.casefold() for slug in (tenant, *clashing)}


def notices(document: Document, tenant: Tenant) -> Iterator[Problem]:
    for place, model in enumerate(tenant.models):
        day = shutdown(model)
        if day is not None:
            reason = f"OpenAI shuts this model down on {day}; from then on calls fail."
            instead = REPLACEMENTS.get(model)
            choose = f"write {instead}, which OpenAI recommends in its place" if instead else "choose another model"
            way_out = f"{choose}: `myflux-keys models --tenant {tenant.tenant}` shows the lines to change."
            yield document.problem(Refusal("model-retiring", reason, way_out), ("models", place))


def cell_notices(document: Document) -> Iterator[Problem]:
    for notice in state_notices(document.data):
        yield document.problem(notice, notice.at)


def crowded_slots(document: Document, tenants: Iterable[Tenant], first: date) -> Iterator[Problem]:
    """A notice if an hour in the year from `first` has more rotations than OpenAI's Admin API allows.

    `tenants` are those of every cell that shares the document's organization, since they share its budget of calls.
    """
    load = slot_load((tenant.schedule for tenant in tenants if tenant.schedule), first)
    if not load.fits:
        reason = (
            f"{load.peak} rotations of this cell's organization are due in one hour, first at "
            f"{load.peak_at:%Y-%m-%d %H:%M} UTC, but OpenAI's Admin API allows about {ROTATIONS_AN_HOUR}: it answers "
            "429 to the rest, and they run late."
        )
        way_out = "let tenants rotate every 8 hours or less often, or move some to a cell with another organization."
        yield document.problem(Refusal("slots-crowded", reason, way_out), ("cell",))
