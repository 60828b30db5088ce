"""What each endpoint does, one file per kind of object; `ALL` has all routes.

admin_keys        Admin keys: list, create, retrieve, delete
audit_logs        The audit log, newest first
batches           Batches of requests, worked off later at half the price
chat              Chat completions, whole or streamed
embeddings        Embeddings of texts
federation_rules  Federation rules of an identity provider
files             A project's files: upload, list, retrieve, content, delete
identity_providers  Workload identity providers
limits            A project's rate limits by model, and the models that it may use
models            The models that a project key can see
project_keys      A project's keys after they were minted: list, retrieve, change expiry and scopes, revoke
projects          Projects: create, list, retrieve, update, archive
responses         Responses: create (whole or streamed), retrieve, delete
service_accounts  Service accounts of a project, and the keys minted on them
spend             Hard spend limits and spend alerts, in US cents a calendar month
token_exchange    The token endpoint, outside `/v1`: a subject token for an access token
usage             Usage of completions and embeddings, and costs, in time buckets, grouped as requested
"""

from __future__ import annotations

from typing import Final

from local.openai.call import Route
from local.openai.routes import (
    admin_keys,
    audit_logs,
    batches,
    chat,
    embeddings,
    federation_rules,
    files,
    identity_providers,
    limits,
    models,
    project_keys,
    projects,
    responses,
    service_accounts,
    spend,
    token_exchange,
    usage,
)

_MODULES: Final = (
    projects,
    service_accounts,
    project_keys,
    limits,
    spend,
    usage,
    audit_logs,
    admin_keys,
    models,
    chat,
    responses,
    embeddings,
    files,
    batches,
    identity_providers,
    federation_rules,
    token_exchange,
)

ALL: Final[list[Route]] = [route for module in _MODULES for route in module.ROUTES]
