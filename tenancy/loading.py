"""Loads the tenant and cell files into a `Fleet`, or raises every problem at once.

Owns the order: read, parse, check each file, check files against each other. Leaves out the checks themselves. Changes
nothing. One problem in any file that is read stops the load.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from tenancy import archive, clashes, document, fleet, source
from tenancy.cell import Cell, cell_refusals
from tenancy.document import Document
from tenancy.explain import at, explain
from tenancy.fields import Model
from tenancy.fleet import Fleet
from tenancy.problems import Problem, Refusal, TenancyError
from tenancy.tenant import Tenant, tenant_refusals

ROOT: Final = Path(__file__).resolve().parent.parent
"""The repository, which holds `tenants/` and `cells/`."""
FLEET: Final = "MYFLUX_FLEET"
"""Environment variable: the folder that holds tenants/ and cells/, if it is not this repository."""

M = TypeVar("M", bound=Model)
Rules = Callable[[Mapping[str, Any]], Iterator[Refusal]]


def load(root: Path = ROOT, *, only: str | Collection[str] | None = None, draft: str | None = None) -> Fleet:
    """Reads and checks every file below ``root/tenants`` and ``root/cells``. Raises TenancyError with all problems.

    `only` is a tenant's slug or several, or is empty for no tenant: then only their files are read, and those whose
    slugs could clash with theirs. So one stack's deployment takes the same time for any number of tenants, and another
    tenant's invalid file cannot stop it.
    `draft` is the new text of the one tenant's file: it is checked instead of the file, before it is written.
    """
    problems: list[Problem] = []
    cell_paths, cell_path_problems = source.find(root, "cells")
    tenant_paths, tenant_path_problems = source.find(root, "tenants", ignored=(archive.FOLDER,))
    problems += [*cell_path_problems, *tenant_path_problems]
    if only is not None:
        slugs, cell_slugs = [only] if isinstance(only, str) else only, [path.stem for path in cell_paths]
        wanted = {near for slug in slugs for near in clashes.may_clash(slug, cell_slugs)}
        tenant_paths = [path for path in tenant_paths if path.stem.casefold() in wanted]
    drafts = {root / "tenants" / f"{only}.yaml": draft} if draft is not None else {}
    tenant_paths = sorted({*tenant_paths, *drafts})
    cell_documents = _documents(cell_paths, root, problems)
    tenant_documents = _documents(tenant_paths, root, problems, drafts)
    cells = _models(cell_documents, "cell", Cell, cell_refusals, problems)
    tenants = _models(tenant_documents, "tenant", Tenant, tenant_refusals, problems)
    for tenant_document in tenant_documents:
        problems += clashes.unknown_cell(tenant_document, [path.stem for path in cell_paths])
        problems += archive.problems(root, tenant_document)
    cell_files = {item.source.stem: item for item in cell_documents}
    tenant_files = {item.source.stem: item for item in tenant_documents}
    for slug, cell in cells.items():
        problems += clashes.cell_problems(cell_files[slug], cell)
    for slug, tenant in tenants.items():
        if tenant.cell in cells:
            problems += clashes.tenant_problems(tenant_files[slug], tenant, cells[tenant.cell])
    problems += clashes.project_problems(tenant_files, tenants, cells)
    problems += clashes.federation_problems(cell_files, tenants.values(), cells)
    if problems:
        raise TenancyError(problems)
    notices = [notice for slug, tenant in tenants.items() for notice in clashes.notices(tenant_files[slug], tenant)]
    today = datetime.now(UTC).date()
    for slug, cell in cells.items():
        notices += clashes.cell_notices(cell_files[slug])
        organization = cell.openai.organization_id
        sharing = [t for t in tenants.values() if cells[t.cell].openai.organization_id == organization]
        notices += clashes.crowded_slots(cell_files[slug], sharing, today)
    return fleet.assemble(tenants, cells, tuple(notices))


def cell_named(root: Path, tenant: str) -> str | None:
    """The cell that one tenant's file below `root` names, whether or not its other fields are valid; None where the
    file cannot be read, or names none. For files of an earlier commit, which today's rules may refuse."""
    try:
        parsed = document.parse(source.read(root / "tenants" / f"{tenant}.yaml", root))
    except source.Refused:
        return None
    cell = parsed.data.get("cell")
    return cell if isinstance(cell, str) and not parsed.broken & {(), ("cell",)} else None


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
    """Models of the valid files, by file name. `kind` is the field that holds the slug."""
    slugs = list(clashes.slug_problems(documents, kind))
    problems += slugs
    misnamed = {problem.file for problem in slugs}
    models: dict[str, M] = {}
    for parsed in documents:
        problems += parsed.problems
        try:
            checked = model.model_validate(parsed.data)
        except ValidationError as error:
            problems += field_problems(parsed, model, error, rules)
            continue
        if not parsed.problems and parsed.source.file not in misnamed:
            models[parsed.source.stem] = checked
    return models


def field_problems(parsed: Document, model: type[Model], error: ValidationError, rules: Rules) -> Iterator[Problem]:
    """The problems in `error`, and those of the rules between fields, which pydantic skips once a field is wrong."""
    errors = error.errors(include_url=False, include_input=False)
    for details in errors:
        yield from explain(parsed, model, details)
    if not any(details["type"] == "refused" and not details["loc"] for details in errors):
        for refusal in rules(parsed.data):
            yield from at(parsed, refusal)
