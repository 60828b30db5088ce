"""The times of S3's objects by the cell's clock, as AWS has one clock for all of its services."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from typing import Final

from local import clock
from local.aws.iam.patching import require_shape

_S3: Final = "ministack.services.s3"


def install() -> None:
    """In S3 alone: sessions, whose times come from the same function, end by the machine's clock."""
    require_shape(_S3, "now_iso", "")
    vars(importlib.import_module(_S3))["now_iso"] = _now


def _now() -> str:
    """To the millisecond, as MiniStack writes it."""
    return datetime.fromtimestamp(clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
