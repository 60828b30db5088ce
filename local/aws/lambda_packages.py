"""What a Python function can import: the standard library, boto3 and its own archive, as on Lambda.

MiniStack would start workers with its own interpreter and all its packages: an archive without a needed module would
work here and fail on AWS.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
"""

from __future__ import annotations

import importlib.util
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from local.aws.iam.patching import replace

RUNTIME_PACKAGES: Final = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
"""boto3 and its dependencies."""


def install(home: Path) -> None:
    interpreter = _interpreter(home / "tmp" / "lambda")

    def with_own_interpreter(original: Callable[..., Any]) -> Callable[..., Any]:
        def detect(runtime: str) -> tuple[str, str]:
            binary, script = original(runtime)
            return (str(interpreter), script) if runtime.startswith("python") else (binary, script)

        return detect

    replace("ministack.core.lambda_runtime", "_detect_runtime_binary", "runtime", with_own_interpreter)


def _interpreter(folder: Path) -> Path:
    packages = folder / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    for name in RUNTIME_PACKAGES:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise RuntimeError(f"{name} is not installed, but Lambda's Python runtime has it")
        source = Path(found.origin).parent if found.submodule_search_locations else Path(found.origin)
        link = packages / source.name
        if not link.is_symlink():
            link.symlink_to(source)
    script = folder / "python"
    # -S: neither site-packages nor what its .pth files point to. -B: a function's folder ends with its worker, and on
    # Lambda it is read-only.
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(packages))} exec {shlex.quote(sys.executable)} -B -S "$@"\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    return script
