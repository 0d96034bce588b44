"""Builds what follows deploys, from the settings and the parts of the monitor."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from checks.platform.deploys import PlatformDeploysConfig
from monitor.config.checklist import Checklist
from monitor.config.rows import ROWS
from monitor.config.settings import Settings
from monitor.config.stack import Stack
from monitor.deploys.markers import Markers
from monitor.deploys.records import Records
from monitor.deploys.render import RenderDeploys
from monitor.deploys.rolling_back import RollingBack
from monitor.deploys.watch import DeployWatch
from monitor.deploys.world import World
from monitor.line import Line
from monitor.metrics import Metrics
from monitor.probing.render import RenderClients
from monitor.store.store import Store

KIND = "platform.deploys"


@dataclass(frozen=True, slots=True)
class Following:
    """The loop, and what a tap on its button does."""

    watch: DeployWatch
    rolling_back: RollingBack


def following(
    settings: Settings,
    stack: Stack,
    checklist: Checklist,
    store: Store,
    line: Line,
    metrics: Metrics,
    clients: RenderClients,
    *,
    epoch: int | None,
    probe_now: Callable[[str], object],
    on_live: Callable[[], object],
    now: Callable[[], datetime],
    monotonic: Callable[[], float],
) -> Following:
    """Return what follows the deploys of this stack while we lead under `epoch`."""
    plan = checklist.plan
    records = Records(store, now, epoch)
    render = _render(settings, stack, clients, monotonic)
    chat_ids = [chat.id for chat in plan.chats if chat.is_first]
    rolling_back = RollingBack(records, render, lambda: line.state, chat_ids, stack.deploys.rollback, now)
    world = World(
        records=records,
        line=line,
        plan=plan,
        limits={check_id: check.config.timeout_seconds for check_id, check in checklist.checks.items()},
        rolling_back=rolling_back,
        markers=Markers(settings),
        counts=metrics,
        probe_now=probe_now,
        on_live=on_live,
        now=now,
        render=render,
        has_webhook=settings.render_webhook_secret is not None,
        dashboard_url=settings.monitor_url,
    )
    return Following(DeployWatch(world), rolling_back)


def _render(
    settings: Settings, stack: Stack, clients: RenderClients, monotonic: Callable[[], float]
) -> RenderDeploys | None:
    """Return Render for these settings, with the client that the checks use; None without a key."""
    if settings.render_api_key is None:
        return None
    row = next(row for row in ROWS if row.id == KIND)
    values: dict[str, Any] = {"kind": KIND, "id": KIND, **row.given(settings, stack), **stack.checks.get(KIND, {})}
    known = {name: value for name, value in values.items() if name in PlatformDeploysConfig.model_fields}
    config = PlatformDeploysConfig.model_validate({**known, "depends_on": ()})
    api = clients(config.api_url, config.api_key)
    other = settings.render_deploy_key
    writing = None if other is None else clients(config.api_url, other)
    return RenderDeploys(api, config, monotonic, writing=writing)
