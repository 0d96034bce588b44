"""The pieces of each page that change while somebody looks: rendered once, used by the page and by its event stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from monitor.engine.check_state import Shown
from monitor.engine.model import Plan, State
from monitor.web.asking import RecentHistory, ask, find_incident, find_policy
from monitor.web.context import WebContext
from monitor.web.graph_layout import Layout, layout_of
from monitor.web.graph_picture import picture_of
from monitor.web.overview import Overview, counts_of, overview_of
from monitor.web.pages.render import render
from monitor.web.uptime_bars import bars_of
from monitor.web.views import check_view, incident_view, live_incidents, overall, still_ok

RESULTS_SHOWN = 50
INCIDENTS_SHOWN = 100
CARDS_SHOWN = 12
"""More open incidents than these are a link."""
STILL_OK_SHOWN = 60

Fragments = dict[str, str]
"""Element id to the element's HTML."""


@dataclass(slots=True)
class Pages:
    """Renders the changing part of each page."""

    context: WebContext
    environment: Environment
    recent: RecentHistory
    _layout: tuple[Plan, Layout | None] | None = field(default=None, init=False)

    def overview(self) -> Overview:
        """Return what the dashboard shows now."""
        return overview_of(self.context.plan, self.context.state(), self.context.headings)

    async def dashboard(self, overview: Overview | None = None) -> Fragments:
        """Return the banner, the incidents, the graph and the rows; a group at a time where not all have a row."""
        plan, state = self.context.plan, self.context.state()
        overview = overview or overview_of(plan, state, self.context.headings)
        incidents = live_incidents(state)
        rows = await self._rows(overview.shown, plan, state, is_whole=overview.is_whole)
        fragments = {
            "banner": self.banner(overview.statuses),
            "incidents": self._render(
                "_incidents.html",
                incidents=[incident_view(one, state) for one in incidents[:CARDS_SHOWN]],
                more=max(0, len(incidents) - CARDS_SHOWN),
            ),
            "graph": self._graph(plan, state, overview.statuses),
        }
        for number, group in enumerate(overview.groups, 1):
            fragments[f"counts-{number}"] = self._render("_group_counts.html", group=group, number=number)
            if overview.is_whole:
                fragments |= {element_id(name): rows[name] for name in group.shown}
            else:
                safe = [Markup(rows[name]) for name in group.shown]  # noqa: S704 (our own templates escaped it)
                fragments[f"rows-{number}"] = self._render("_group_rows.html", group=group, number=number, rows=safe)
        return fragments

    async def rows(self, check_ids: Sequence[str]) -> list[str]:
        """Return the rows of these checks."""
        rows = await self._rows(tuple(check_ids), self.context.plan, self.context.state(), is_whole=False)
        return [rows[name] for name in check_ids]

    async def check(self, check_id: str, forms: Mapping[str, Any]) -> Fragments:
        """Return one check's page."""
        policy = find_policy(self.context, check_id)
        results = await ask(self.context.history.results(check_id, RESULTS_SHOWN))
        looks = (await self.recent.looks.get((check_id,))).get(check_id, ())
        bars = (await self.recent.bars.get((check_id,))).get(check_id) or bars_of((), self.context.now())
        view = check_view(policy, self.context.state())
        return {
            "check-page": self._render(
                "_check_page.html", check=view, looks=looks, bars=bars, results=results, **forms
            ),
            "check-looks": self._render("_check_looks.html", results=results),
        }

    async def incident(self, incident_id: int, forms: Mapping[str, Any]) -> Fragments:
        """Return one incident's page."""
        incident = await find_incident(self.context, incident_id)
        timeline = await ask(self.context.history.timeline(incident_id))
        state = self.context.state()
        ok_now = still_ok(self.context.plan, state) if incident.is_live else []
        body = self._render(
            "_incident_page.html",
            view=incident_view(incident, state),
            timeline=timeline,
            still_ok=ok_now[:STILL_OK_SHOWN],
            still_ok_total=len(ok_now),
            checks_total=len(self.context.plan.checks),
            **forms,
        )
        return {"incident-page": body}

    async def incidents(self) -> Fragments:
        """Return the list of incidents."""
        stored = await ask(self.context.history.incidents(INCIDENTS_SHOWN))
        state = self.context.state()
        views = [incident_view(state.incidents.get(one.id, one), state) for one in stored]
        return {"incident-list": self._render("_incident_list.html", incidents=views)}

    def banner(self, statuses: Mapping[str, Shown]) -> str:
        """Return how everything stands, in one line."""
        counts = counts_of(list(statuses.values()))
        status = overall(name for name, _ in counts)
        return self._render("_banner.html", status=status, counts=counts, total=len(statuses))

    async def _rows(self, check_ids: tuple[str, ...], plan: Plan, state: State, *, is_whole: bool) -> dict[str, str]:
        key = None if is_whole else tuple(sorted(check_ids))
        looks, bars = await self.recent.looks.get(key), await self.recent.bars.get(key)
        unknown = bars_of((), self.context.now())
        template = self.environment.get_template("_check.html")
        return {
            name: template.render(
                check=check_view(plan.checks[name], state), looks=looks.get(name, ()), bars=bars.get(name, unknown)
            )
            for name in check_ids
        }

    def _graph(self, plan: Plan, state: State, statuses: Mapping[str, Shown]) -> str:
        if self._layout is None or self._layout[0] is not plan:
            self._layout = (plan, layout_of(plan))
        layout = self._layout[1]
        live = live_incidents(state)
        hot = {member.check_id for one in live for member in one.members if member.left_at is None}
        picture = None if layout is None else picture_of(layout, statuses, {one.root for one in live}, hot)
        return self._render("_graph.html", picture=picture)

    def _render(self, template: str, **values: Any) -> str:
        return render(self.environment, template, **values)


def element_id(check_id: str) -> str:
    """Return the id of the element that shows a check."""
    return f"check:{check_id}"
