"""The limits of a tenant's project: models, rate limits, spend limit and spend alerts.

Owns setting each to the value in the tenant's file, without a write if nothing differs. Leaves out the project itself.
What people added on OpenAI's site, such as their own spend alerts, is not changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.provisioner.project import ProjectError
from functions.provisioner.request import Budget, RateLimit
from functions.shared import log
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError, path

_MONTHLY = {"currency": "USD", "interval": "month"}
_RATE_FIELDS = {"requests_per_minute": "max_requests_per_1_minute", "tokens_per_minute": "max_tokens_per_1_minute"}


class Limits:
    """The limits of one project. `mark` is the subject prefix of our spend alerts, by which they are recognized."""

    def __init__(self, api: AdminAPI, project_id: str, mark: str) -> None:
        self._api = api
        self._base = path("/organization/projects/{project}", project=project_id)
        self._mark = mark

    def allow_models(self, models: tuple[str, ...]) -> None:
        """Sets an allow-list of exactly `models`. Before the first one OpenAI answers 404."""
        target = f"{self._base}/model_permissions"
        current = self._get(target)
        if current and current.get("mode") == "allow_list" and set(current.get("model_ids") or ()) == set(models):
            return
        self._api.send("POST", target, body={"mode": "allow_list", "model_ids": list(models)})
        log.line("models.set", models=list(models))

    def limit_rates(self, wanted: Mapping[str, RateLimit]) -> None:
        """Sets the limits in `wanted`; other limits are not changed. Raises ProjectError, before any write, for a model
        for which OpenAI lists no limit."""
        if not wanted:
            return
        target = f"{self._base}/rate_limits"
        current = {str(item.get("model")): item for item in self._api.pages(target)}
        unknown = sorted(set(wanted) - set(current))
        if unknown:
            raise ProjectError(f"OpenAI lists no rate limit for {', '.join(unknown)}: check the model's exact id")
        for model, limit in wanted.items():
            change = rate_change(limit, current[model])
            if change:
                one = target + path("/{limit}", limit=str(current[model]["id"]))
                self._api.send("POST", one, body=change)
                log.line("rate_limit.set", model=model, **change)

    def limit_spend(self, budget: Budget | None) -> None:
        """Sets the hard limit, in cents per month; deletes it if the budget is not hard."""
        target = f"{self._base}/spend_limit"
        current = self._get(target)
        if budget is None or not budget.hard:
            if current is not None:
                self._delete(target)
                log.line("spend_limit.removed")
            return
        if current is not None and current.get("threshold_amount") == budget.monthly_cents:
            return
        self._api.send("POST", target, body={**_MONTHLY, "threshold_amount": budget.monthly_cents})
        log.line("spend_limit.set", cents=budget.monthly_cents)

    def alert_on_spend(self, budget: Budget | None) -> None:
        """Sets one alert for each threshold, to all recipients; none without recipients."""
        target = f"{self._base}/spend_alerts"
        wanted = set(budget.alert_cents) if budget is not None and budget.emails else set[int]()
        recipients = set(budget.emails) if budget is not None else set[str]()
        surplus: list[str] = []
        for item in list(self._api.pages(target)):
            channel: Mapping[str, Any] = item.get("notification_channel") or {}
            cents: Any = item.get("threshold_amount")
            if cents in wanted and set(channel.get("recipients") or ()) == recipients:
                wanted.remove(cents)
            elif channel.get("subject_prefix") == self._mark:
                surplus.append(str(item["id"]))
        for cents in sorted(wanted):
            email = {"type": "email", "recipients": sorted(recipients), "subject_prefix": self._mark}
            body = {**_MONTHLY, "threshold_amount": cents, "notification_channel": email}
            self._create_alert(target, body)
            log.line("spend_alert.created", cents=cents)
        # Old ones are deleted last, so that no alert is missing in between.
        for alert_id in surplus:
            self._delete(target + path("/{alert}", alert=alert_id))
            log.line("spend_alert.removed", alert_id=alert_id)

    def _create_alert(self, target: str, body: Mapping[str, Any]) -> None:
        try:
            self._api.send("POST", target, body=body, repeatable=False)
        except OpenAIError as error:
            if not error.maybe_applied or not self._has_alert(target, body["threshold_amount"]):
                raise

    def _has_alert(self, target: str, cents: int) -> bool:
        for item in self._api.pages(target):
            channel: Mapping[str, Any] = item.get("notification_channel") or {}
            if item.get("threshold_amount") == cents and channel.get("subject_prefix") == self._mark:
                return True
        return False

    def _get(self, target: str) -> Mapping[str, Any] | None:
        try:
            return self._api.send("GET", target)
        except OpenAIError as error:
            if error.status == 404:
                return None
            raise

    def _delete(self, target: str) -> None:
        try:
            self._api.send("DELETE", target)
        except OpenAIError as error:
            if error.status != 404:
                raise


def rate_change(limit: RateLimit, current: Mapping[str, Any]) -> dict[str, int]:
    """The fields of OpenAI's rate limit that differ from `limit`."""
    wanted = {theirs: getattr(limit, ours) for ours, theirs in _RATE_FIELDS.items()}
    return {field: value for field, value in wanted.items() if value is not None and current.get(field) != value}
