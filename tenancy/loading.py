"""From the repository's folders to a `Fleet`, or to every problem at once.

Owns the order: read, parse, check each file, check files against each other. Leaves out the checks. Nothing is changed
anywhere, and no file is half used: one problem in any file, and there is no fleet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from tenancy import archive, document, fleet, source
from tenancy.cell import Cell, cell_refusals
from tenancy.document import Document
from tenancy.explain import at, explain
from tenancy.fields import Model
from tenancy.fleet import Fleet
from tenancy.problems import Problem, Refusal, TenancyError
from tenancy.tenant import Tenant, tenant_refusals

ROOT: Final = Path(__file__).resolve().parent.parent
"""The repository: `tenants/` and `cells/` lie in it."""
FLEET: Final = "MYFLUX_FLEET"
"""Names the folder that holds tenants/ and cells/, where they are kept apart from this repository."""

M = TypeVar("M", bound=Model)
Rules = Callable[[Mapping[str, Any]], Iterator[Refusal]]


def load(root: Path = ROOT, *, only: str | Collection[str] | None = None, draft: str | None = None) -> Fleet:
    """Reads and checks every file below ``root/tenants`` and ``root/cells``. Raises TenancyError with all problems.

    `only` names a tenant or several, or is empty for none: then of tenants' files just theirs are read, and those that
    could clash with them. A deployment of one stack costs the same however many neighbours there are, and none of them
    can stop it.
    `draft` is what the one tenant's file is about to say: it is checked in the file's place, before it is written.
    """
    problems: list[Problem] = []
    cell_paths, found = source.find(root, "cells")
    tenant_paths, more = source.find(root, "tenants", apart=(archive.FOLDER,))
    problems += [*found, *more]
    if only is not None:
        slugs, cells_there = [only] if isinstance(only, str) else only, [path.stem for path in cell_paths]
        wanted = {near for slug in slugs for near in fleet.near(slug, cells_there)}
        tenant_paths = [path for path in tenant_paths if path.stem.casefold() in wanted]
    drafts = {root / "tenants" / f"{only}.yaml": draft} if draft is not None else {}
    tenant_paths = sorted({*tenant_paths, *drafts})
    cell_documents = _documents(cell_paths, root, problems)
    tenant_documents = _documents(tenant_paths, root, problems, drafts)
    cells = _models(cell_documents, "cell", Cell, cell_refusals, problems)
    tenants = _models(tenant_documents, "tenant", Tenant, tenant_refusals, problems)
    for found_document in tenant_documents:
        problems += fleet.unknown_cell(found_document, [path.stem for path in cell_paths])
        problems += archive.problems(root, found_document)
    cell_files = {item.source.stem: item for item in cell_documents}
    tenant_files = {item.source.stem: item for item in tenant_documents}
    for slug, cell in cells.items():
        problems += fleet.cell_problems(cell_files[slug], cell)
    for slug, tenant in tenants.items():
        if tenant.cell in cells:
            problems += fleet.tenant_problems(tenant_files[slug], tenant, cells[tenant.cell])
    problems += fleet.project_problems(tenant_files, tenants, cells)
    if problems:
        raise TenancyError(problems)
    notices = [notice for slug, tenant in tenants.items() for notice in fleet.notices(tenant_files[slug], tenant)]
    today = datetime.now(UTC).date()
    for slug, cell in cells.items():
        organization = cell.openai.organization_id
        sharing = [t for t in tenants.values() if cells[t.cell].openai.organization_id == organization]
        notices += fleet.crowded_slots(cell_files[slug], sharing, today)
    return fleet.assemble(tenants, cells, tuple(notices))


def _documents(
    paths: list[Path], root: Path, problems: list[Problem], drafts: Mapping[Path, str] | None = None
) -> list[Document]:
    documents: list[Document] = []
    for path in paths:
        try:
            documents.append(document.parse(source.read(path, root, (drafts or {}).get(path))))
        except source.Refused as refused:
            problems += refused.problems
    return documents


def _models(
    documents: list[Document], kind: str, model: type[M], rules: Rules, problems: list[Problem]
) -> dict[str, M]:
    """Models by file name, of the files without problems. `kind` names the field that holds the slug."""
    slugs = list(fleet.slug_problems(documents, kind))
    problems += slugs
    misnamed = {problem.file for problem in slugs}
    models: dict[str, M] = {}
    for found in documents:
        problems += found.problems
        try:
            checked = model.model_validate(found.data)
        except ValidationError as error:
            problems += field_problems(found, model, error, rules)
            continue
        if not found.problems and found.source.file not in misnamed:
            models[found.source.stem] = checked
    return models


def field_problems(found: Document, model: type[Model], error: ValidationError, rules: Rules) -> Iterator[Problem]:
    """Pydantic leaves out the rules among fields once a field is wrong, so they are added here."""
    errors = error.errors(include_url=False, include_input=False)
    for details in errors:
        yield from explain(found, model, details)
    if not any(details["type"] == "refused" and not details["loc"] for details in errors):
        for refusal in rules(found.data):
            yield from at(found, refusal)
