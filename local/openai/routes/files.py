"""A project's files: upload, list, retrieve, content, delete.

Owns `/v1/files`. Leaves out what becomes of a batch's input (`batching.py`). Files are kept in memory.
https://developers.openai.com/api/reference/resources/files/methods/create
"""

from __future__ import annotations

from typing import Any, Final

from local.openai import errors
from local.openai.call import Answer, Call, model_route
from local.openai.fields import Body
from local.openai.forms import read_form
from local.openai.paging import page
from local.openai.state import StoredFile

_PURPOSES: Final = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
BATCH_DAYS: Final = 30
"""How long a file for a batch is kept, unless the upload says otherwise."""
SHORTEST_SECONDS: Final = 3600
LONGEST_SECONDS: Final = 2_592_000


def told(file: StoredFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "object": "file",
        "bytes": len(file.content),
        "created_at": file.created_at,
        "expires_at": file.expires_at,
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }


def expiry(policy: Body) -> int:
    """Seconds after the file was made."""
    policy.choice("anchor", ("created_at",))
    seconds = policy.integer("seconds", minimum=SHORTEST_SECONDS, maximum=LONGEST_SECONDS)
    policy.done()
    assert seconds is not None
    return seconds


def _create(call: Call) -> dict[str, Any]:
    form = read_form(call.headers.get("content-type", ""), call.raw)
    body = form.fields
    purpose = body.choice("purpose", _PURPOSES)
    seconds = BATCH_DAYS * 86_400 if purpose == "batch" else None
    if body.has("expires_after"):
        policy = body.nested("expires_after")
        seconds = expiry(_with_numbers(policy))
    body.done()
    if form.files.keys() != {"file"}:
        raise errors.missing_parameter("file")
    filename, content = form.files["file"]
    if purpose == "batch" and not filename.endswith(".jsonl"):
        raise errors.ApiError(400, "Invalid file format for Batch API. Must be .jsonl", param="file")
    if not content:
        raise errors.ApiError(400, "File is empty.", param="file")
    assert purpose is not None
    assert call.api_key is not None
    project = call.api_key.project_id
    return told(call.organization.add_file(project, filename, content, call.at, purpose=purpose, seconds=seconds))


def _with_numbers(policy: Body) -> Body:
    """A form has texts only."""
    seconds: Any = policy.anything("seconds")
    anchor: Any = policy.anything("anchor")
    policy.done()
    whole = int(seconds) if isinstance(seconds, str) and seconds.isdigit() else seconds
    given = {"anchor": anchor, "seconds": whole}
    return Body({name: value for name, value in given.items() if value is not None}, "expires_after.")


def find(call: Call, identifier: str) -> StoredFile:
    """A file of the caller's project that has not expired."""
    assert call.api_key is not None
    found = call.organization.files.get(identifier)
    if found is None or found.project_id != call.api_key.project_id or found.expired(call.now):
        raise errors.ApiError(404, f"No such File object: {identifier}", param="id")
    return found


def _list(call: Call) -> dict[str, Any]:
    assert call.api_key is not None
    query, project = call.query(), call.api_key.project_id
    purpose = query.text("purpose")
    mine = [file for file in call.organization.files.values() if file.project_id == project]

    def keep(file: StoredFile) -> bool:
        return not file.expired(call.now) and purpose in (None, file.purpose)

    return page(mine, query, told, lambda file: file.id, default=10_000, maximum=10_000, order="desc", keep=keep)


def _retrieve(call: Call) -> dict[str, Any]:
    return told(find(call, call.parameters["file_id"]))


def _content(call: Call) -> Answer:
    return Answer(file=find(call, call.parameters["file_id"]).content)


def _delete(call: Call) -> dict[str, Any]:
    found = find(call, call.parameters["file_id"])
    del call.organization.files[found.id]
    return {"id": found.id, "object": "file", "deleted": True}


ROUTES = [
    model_route("POST", "/files", _create, "api.files.write"),
    model_route("GET", "/files", _list, "api.files.read"),
    model_route("GET", "/files/{file_id}", _retrieve, "api.files.read"),
    model_route("GET", "/files/{file_id}/content", _content, "api.files.read"),
    model_route("DELETE", "/files/{file_id}", _delete, "api.files.write"),
]
