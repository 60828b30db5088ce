"""An object that is not there: 403 for a caller who may not list its bucket, who must not learn that.

"If the object you request doesn't exist, the error that Amazon S3 returns depends on whether you also have the
s3:ListBucket permission": https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from local.aws.iam.authorize import AccessDenied, authorize
from local.aws.iam.request import ServiceRequest

_OF_ANOTHER_PART: Final = frozenset({"acl", "attributes", "legal-hold", "retention", "tagging", "torrent", "uploadId"})
"""Parameters that make a request one for something else than the object."""
_BODY: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>%b</Message></Error>'


def as_told(request: ServiceRequest, answer: Any) -> Any:
    """The answer (status, headers, body), or the denial in its place."""
    status, _, body = answer
    if request.service != "s3" or request.method not in ("GET", "HEAD") or status != 404:
        return answer
    bucket, _, key = request.path.lstrip("/").partition("/")
    # HEAD has no body, which would name the error.
    missing = b"<Code>NoSuchKey</Code>" in body or request.method == "HEAD"
    if not key or not missing or _OF_ANOTHER_PART & request.parameters.keys():
        return answer
    try:
        authorize("s3:ListBucket", f"arn:aws:s3:::{unquote(bucket)}")
    except AccessDenied as denied:
        told = _BODY % denied.message.encode() if request.method == "GET" else b""
        return 403, {"Content-Type": "application/xml"}, told
    except LookupError:
        # An unsigned request has no caller whose rights could be asked.
        return answer
    return answer
