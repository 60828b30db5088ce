"""A counterexample as a sentence: who does what to which secret, and which statements allow it."""

from __future__ import annotations

from typing import Any

import z3

from ops.isolation.attempts import Attempt
from ops.isolation.decision import applying
from ops.isolation.policy import Policy
from ops.isolation.terms import Formula, Term


def sentence(attempt: Attempt, model: Any) -> str:
    who = attempt.who or _principal(attempt, model)
    session = attempt.session
    tag = ""
    if session is not None:
        tagged = _true(model, session.tagged)
        tag = f", tagged tenant={_text(model, session.tenant)!r}," if tagged else ", without a tenant tag,"
    owner = f" of tenant {_text(model, attempt.owner)!r}" if attempt.owner is not None else ""
    action, resource = attempt.request.action, _text(model, attempt.request.resource.term)
    return f"{who}{tag} can {action} on {resource}{owner}. {_because(attempt, model)}"


def _principal(attempt: Attempt, model: Any) -> str:
    kind = "a session of role" if _true(model, attempt.caller.is_session) else "user"
    return f"{kind} {_text(model, attempt.caller.arn.term)}, whatever its own policies,"


def _because(attempt: Attempt, model: Any) -> str:
    policies: list[Policy] = [*(attempt.caller.identity or ()), attempt.lock.policy]
    found = [
        (statement, _true(model, applies))
        for policy in policies
        for statement, applies in applying(policy, attempt.request, attempt.caller if policy is policies[-1] else None)
    ]
    let = [statement.label for statement, applies in found if applies and statement.allow]
    missed = [statement.label for statement, applies in found if not applies and not statement.allow]
    own = [] if attempt.caller.identity is not None else ["the caller's own policies, which may say anything"]
    parts = [f"Allowed by {'; '.join([*let, *own]) or 'nothing'}."]
    parts.append(f"Not denied by {'; '.join(missed)}." if missed else "No Deny statement covers this.")
    return " ".join(parts)


def _true(model: Any, formula: Formula) -> bool:
    return z3.is_true(model.eval(formula, model_completion=True))


def _text(model: Any, term: Term) -> str:
    value = model.eval(term, model_completion=True)
    return value.as_string() if z3.is_string_value(value) else str(value)
