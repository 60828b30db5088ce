"""Hard spend limits of projects and of the organization, and projects' spend alerts, in US cents a calendar month.

Owns `…/spend_limit` and `…/spend_alerts`. Leaves out what was spent (`state.py`), and the refused calls and the alerts
that result (`answering.py`). If no limit was set, a retrieve or a delete returns 404.
"""

from __future__ import annotations

import re
from typing import Any, Final

from local.openai import errors, keys
from local.openai.call import Call, admin_route
from local.openai.fields import Body
from local.openai.paging import page
from local.openai.state import Project, SpendAlert

_MOST_CENTS: Final = 10**12
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _amount(body: Body) -> int:
    """Reads the three fields that limits and alerts share."""
    amount = body.integer("threshold_amount", minimum=1, maximum=_MOST_CENTS)
    body.choice("currency", ("USD",))
    body.choice("interval", ("month",))
    assert amount is not None
    return amount


def _limit(call: Call, project: Project) -> dict[str, Any]:
    if project.spend_limit_cents is None:
        raise errors.not_found("Spend limit of project", project.id)
    enforcing = call.organization.spent_cents(project.id, call.now) >= project.spend_limit_cents
    return {
        "object": "project.spend_limit",
        "currency": "USD",
        "interval": "month",
        "threshold_amount": project.spend_limit_cents,
        "enforcement": {"status": "enforcing" if enforcing else "inactive"},
    }


def _retrieve_limit(call: Call) -> dict[str, Any]:
    return _limit(call, call.project())


def _set_limit(call: Call) -> dict[str, Any]:
    project = call.project()
    body = call.body()
    amount = _amount(body)
    body.done()
    _replace_limit(call, project, amount)
    return _limit(call, project)


def _delete_limit(call: Call) -> dict[str, Any]:
    project = call.project()
    _limit(call, project)
    _replace_limit(call, project, None)
    return {"object": "project.spend_limit.deleted", "deleted": True}


def _replace_limit(call: Call, project: Project, cents: int | None) -> None:
    before = project.applied_spend_limit(call.now)
    seconds = call.organization.settings.limit_propagation_seconds
    raised = before is not None and (cents is None or cents > before)
    project.spend_limit_before = (before, call.now + seconds) if raised and before is not None else None
    project.spend_limit_cents = cents


def _organization_limit(call: Call) -> dict[str, Any]:
    limit = call.organization.spend_limit_cents
    if limit is None:
        raise errors.not_found("Spend limit of organization", call.organization.settings.organization_id)
    enforcing = call.organization.spent_by_all_cents(call.now) >= limit
    return {
        "object": "organization.spend_limit",
        "currency": "USD",
        "interval": "month",
        "threshold_amount": limit,
        "enforcement": {"status": "enforcing" if enforcing else "inactive"},
    }


def _set_organization_limit(call: Call) -> dict[str, Any]:
    body = call.body()
    amount = _amount(body)
    body.done()
    call.organization.spend_limit_cents = amount
    return _organization_limit(call)


def _delete_organization_limit(call: Call) -> dict[str, Any]:
    _organization_limit(call)
    call.organization.spend_limit_cents = None
    return {"object": "organization.spend_limit.deleted", "deleted": True}


def _render(alert: SpendAlert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "object": "project.spend_alert",
        "currency": "USD",
        "interval": "month",
        "threshold_amount": alert.threshold_amount,
        "notification_channel": {
            "type": "email",
            "recipients": alert.recipients,
            "subject_prefix": alert.subject_prefix,
        },
    }


def _read(call: Call) -> tuple[int, list[str], str | None]:
    body = call.body()
    amount = _amount(body)
    channel = body.nested("notification_channel")
    channel.choice("type", ("email",))
    recipients = channel.texts("recipients", fewest=1)
    prefix = channel.text("subject_prefix", required=False, nullable=True)
    channel.done()
    body.done()
    assert recipients is not None
    for index, address in enumerate(recipients):
        if not _EMAIL.fullmatch(address):
            path = f"notification_channel.recipients[{index}]"
            raise errors.invalid_value(path, f"'{address}' is not an email address.")
    return amount, recipients, prefix


def _alert(call: Call, project: Project) -> SpendAlert:
    identifier = call.parameters["alert_id"]
    alert = project.spend_alerts.get(identifier)
    if alert is None:
        raise errors.not_found("Spend alert", identifier)
    return alert


def _create_alert(call: Call) -> dict[str, Any]:
    project = call.project()
    alert = SpendAlert(keys.make_id("alert_"), *_read(call))
    project.spend_alerts[alert.id] = alert
    return _render(alert)


def _list_alerts(call: Call) -> dict[str, Any]:
    alerts = list(call.project().spend_alerts.values())
    return page(alerts, call.query(), _render, lambda a: a.id, order="asc", before=True)


def _retrieve_alert(call: Call) -> dict[str, Any]:
    return _render(_alert(call, call.project()))


def _update_alert(call: Call) -> dict[str, Any]:
    alert = _alert(call, call.project())
    amount, recipients, prefix = _read(call)
    if amount != alert.threshold_amount:
        alert.sent_in.clear()
    alert.threshold_amount, alert.recipients, alert.subject_prefix = amount, recipients, prefix
    return _render(alert)


def _delete_alert(call: Call) -> dict[str, Any]:
    project = call.project()
    alert = _alert(call, project)
    del project.spend_alerts[alert.id]
    return {"id": alert.id, "object": "project.spend_alert.deleted", "deleted": True}


_LIMIT = "/projects/{project_id}/spend_limit"
_ALERTS = "/projects/{project_id}/spend_alerts"

ROUTES = [
    admin_route("GET", "/spend_limit", _organization_limit),
    admin_route("POST", "/spend_limit", _set_organization_limit),
    admin_route("DELETE", "/spend_limit", _delete_organization_limit),
    admin_route("GET", _LIMIT, _retrieve_limit),
    admin_route("POST", _LIMIT, _set_limit),
    admin_route("DELETE", _LIMIT, _delete_limit),
    admin_route("GET", _ALERTS, _list_alerts),
    admin_route("POST", _ALERTS, _create_alert),
    admin_route("GET", _ALERTS + "/{alert_id}", _retrieve_alert),
    admin_route("POST", _ALERTS + "/{alert_id}", _update_alert),
    admin_route("DELETE", _ALERTS + "/{alert_id}", _delete_alert),
]
