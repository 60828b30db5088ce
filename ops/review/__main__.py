"""`python -m ops.review FLEET...`: prints as JSON what the stacks register that stdin names, a line for each fleet.

It is a process of its own, so that each tree of the repository runs its own code, and so that a program that cannot be
loaded is a finding and not a crash. `ops.review.tree_rehearsal` starts it.
"""

from __future__ import annotations

import gc
import json
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import program
from ops.review.answers import NoAnswerError
from ops.review.registered import to_json
from ops.review.rehearsal import rehearse
from ops.review.tree_rehearsal import FORM


def rehearsed(stack: str, fleet: Path) -> dict[str, Any]:
    """What `stack` registers: with every id and ARN, or without them where an answer of AWS is not known."""
    answer: dict[str, Any] = {"stack": stack, "resources": [], "gap": "", "refusal": "", "crash": "", "place": None}
    try:
        try:
            found = rehearse(stack, fleet)
        except NoAnswerError as error:
            answer["gap"] = str(error)
            found = rehearse(stack, fleet, deployed=False)
        answer["resources"] = [to_json(one) for one in found]
    except program.StackError as error:
        answer["refusal"] = str(error)
    except Exception as error:  # noqa: BLE001 - whatever the program raises is reported to the reviewer
        answer["crash"] = f"{type(error).__name__}: {error}"
        answer["place"] = _innermost(error)
    return answer


def _innermost(error: BaseException) -> dict[str, Any] | None:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(program.ROOT) and "site-packages" not in path.parts:
            return {"file": path.relative_to(program.ROOT).as_posix(), "line": frame.lineno}
    return None


def main() -> None:
    # The modules stay, and a rehearsal makes many objects at once: looking for garbage took a quarter of the time.
    gc.freeze()
    gc.set_threshold(50_000)
    named = zip(map(Path, sys.argv[1:]), sys.stdin.read().splitlines(), strict=True)
    with redirect_stdout(sys.stderr):
        answers = [rehearsed(stack, fleet) for fleet, line in named for stack in line.split()]
    json.dump({"form": FORM, "stacks": answers}, sys.stdout)


if __name__ == "__main__":
    main()
