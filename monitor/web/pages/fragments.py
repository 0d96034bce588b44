"""The pieces of each page that change while somebody looks: rendered once, used by the page and by its event stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment

from monitor.engine.model import Plan
from monitor.web.asking import RecentLooks, ask, find_incident, find_policy
from monitor.web.context import WebContext
from monitor.web.pages.render import render
from monitor.web.views import (
    WORST_FIRST,
    CheckView,
    check_view,
    check_views,
    incident_view,
    live_incidents,
    overall,
    still_ok,
)

RESULTS_SHOWN = 50
INCIDENTS_SHOWN = 100

Fragments = dict[str, str]
"""Element id to the element's HTML."""


@dataclass(frozen=True, slots=True)
class Pages:
    """Renders the changing part of each page."""

    context: WebContext
    environment: Environment
    recent: RecentLooks

    async def dashboard(self) -> Fragments:
        """Return the banner, the incidents and one element a check."""
        state = self.context.state()
        views = check_views(self.context.plan, state)
        looks = await self.recent.get()
        fragments = {
            "banner": self._banner(views),
            "incidents": render(
                self.environment,
                "_incidents.html",
                incidents=[incident_view(one, state) for one in live_incidents(state)],
            ),
        }
        for view in views:
            fragments[element_id(view.id)] = render(
                self.environment, "_check.html", check=view, looks=looks.get(view.id, ())
            )
        return fragments

    async def check(self, check_id: str) -> Fragments:
        """Return one check's page."""
        policy = find_policy(self.context, check_id)
        results = await ask(self.context.history.results(check_id, RESULTS_SHOWN))
        looks = (await self.recent.get()).get(check_id, ())
        view = check_view(policy, self.context.state())
        body = render(self.environment, "_check_page.html", check=view, looks=looks, results=results)
        return {"check-page": body}

    async def incident(self, incident_id: int) -> Fragments:
        """Return one incident's page."""
        incident = await find_incident(self.context, incident_id)
        timeline = await ask(self.context.history.timeline(incident_id))
        state = self.context.state()
        body = render(
            self.environment,
            "_incident_page.html",
            view=incident_view(incident, state),
            timeline=timeline,
            still_ok=still_ok(self.context.plan, state) if incident.is_live else [],
            checks_total=len(self.context.plan.checks),
        )
        return {"incident-page": body}

    async def incidents(self) -> Fragments:
        """Return the list of incidents."""
        stored = await ask(self.context.history.incidents(INCIDENTS_SHOWN))
        state = self.context.state()
        views = [incident_view(state.incidents.get(one.id, one), state) for one in stored]
        return {"incident-list": render(self.environment, "_incident_list.html", incidents=views)}

    def _banner(self, views: Sequence[CheckView]) -> str:
        counts = Counter(view.status for view in views)
        return render(
            self.environment,
            "_banner.html",
            status=overall(counts),
            counts=[(status, counts[status]) for status in WORST_FIRST if counts[status]],
            total=len(views),
        )


def element_id(check_id: str) -> str:
    """Return the id of the element that shows a check."""
    return f"check:{check_id}"


def groups_of(plan: Plan, context: WebContext) -> dict[str, list[str]]:
    """Return the checks under their headings, both in the order of the plan."""
    groups: dict[str, list[str]] = {}
    for policy in plan.checks.values():
        groups.setdefault(context.headings.get(policy.id, policy.service), []).append(element_id(policy.id))
    return groups
