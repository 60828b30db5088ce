"""Whether an answer is AWS's: a proxy, a sign-in page or a wrong endpoint may answer in AWS's place.

botocore reads a page of HTML as an answer without fields, or fails inside its parser, and it quotes what it cannot read
as AWS's message. So each answer is looked at before botocore reads it. What is refused is never quoted: it may hold
credentials.
"""

from __future__ import annotations

import json
from typing import Any, Final
from xml.etree import ElementTree

from ops.errors import NotFromAws

EVENT: Final = "before-parse.*"
"""With the asterisk it comes before botocore's own handler for S3, which takes a page for a failure of S3."""
_JSON: Final = ("json", "rest-json")
_XML: Final = ("query", "rest-xml")
_REFUSED: Final = 300
_SERVERS_FAULT: Final = 500


def check(response_dict: dict[str, Any], operation_model: Any, **_: Any) -> None:
    """A handler of `EVENT`. Raises NotFromAws."""
    if _is_from_aws(response_dict, operation_model):
        return
    if response_dict["status_code"] < _SERVERS_FAULT:
        if hasattr(response_dict["body"], "close"):
            response_dict["body"].close()
        raise NotFromAws
    # botocore repeats the call, and then names the status alone.
    response_dict["body"] = b""


def _is_from_aws(response: dict[str, Any], operation: Any) -> bool:
    status, protocol = response["status_code"], operation.service_model.resolved_protocol
    if "text/html" in response["headers"].get("content-type", ""):
        return False
    if status < _REFUSED and operation.has_streaming_output:
        return True
    body: bytes = response["body"].strip()
    if not body:
        return _may_be_empty(status, protocol, operation.output_shape)
    if protocol in _JSON:
        return _is_object(body)
    if protocol in _XML:
        return _is_document(body, status, protocol, operation.output_shape)
    return True


def _may_be_empty(status: int, protocol: str, shape: Any) -> bool:
    if protocol == "query":
        return status >= _SERVERS_FAULT
    if status >= _REFUSED:
        # S3 answers HEAD, and a redirection, without a body.
        return protocol != "json" or status >= _SERVERS_FAULT
    members = shape.members.values() if shape is not None else ()
    return all(member.serialization.get("location") for member in members)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


def _is_document(body: bytes, status: int, protocol: str, shape: Any) -> bool:
    try:
        root = ElementTree.fromstring(body)  # noqa: S314
    except ElementTree.ParseError:
        # S3 may break off in the middle of an answer, and botocore then repeats the call.
        return protocol == "rest-xml" and status < _REFUSED
    if protocol == "rest-xml":
        return _name(root).lower() != "html"
    if status >= _REFUSED:
        return _name(root).endswith("Response")
    wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
    return wrapper is None or wrapper in map(_name, root)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
