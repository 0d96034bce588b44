"""The templates, with every text escaped, and the words for times."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from checks.result import Fact
from monitor.engine.objectives import hours
from monitor.web.context import WebContext
from monitor.web.graph_layout import NODE_HEIGHT, NODE_WIDTH
from monitor.web.phases import WIDTH as PHASES_WIDTH
from monitor.web.phases import phases_of
from monitor.web.sparkline import HEIGHT, WIDTH, age_words, duration_words, sparkline_of
from monitor.web.uptime_bars import HEIGHT as BARS_HEIGHT
from monitor.web.uptime_bars import WIDTH as BARS_WIDTH
from monitor.web.uptime_bars import coverage_words
from monitor.web.views import SIGNS

WEB = Path(__file__).parent.parent

_OUTCOME_STATUS = {"ok": "up", "degraded": "degraded", "failed": "down", "unknown": "unknown"}


def template_environment(context: WebContext) -> Environment:
    """Return the environment every page is rendered with."""
    environment = Environment(
        loader=FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        stack=context.stack,
        version=context.version,
        has_login=context.api_token is not None,
        signs=SIGNS,
        outcome_status=_OUTCOME_STATUS,
        spark=sparkline_of,
        spark_width=WIDTH,
        spark_height=HEIGHT,
        bars_width=BARS_WIDTH,
        bars_height=BARS_HEIGHT,
        phases_of=phases_of,
        phases_width=PHASES_WIDTH,
        node_width=NODE_WIDTH,
        node_height=NODE_HEIGHT,
        has_status_page=context.public is not None,
    )
    environment.filters.update(
        duration=duration_words,
        coverage=coverage_words,
        share=_share,
        window=hours,
        fact=fact_words,
        age=_age_filter(context.now),
        clock=_clock,
        epoch=_epoch,
    )
    return environment


def fact_words(fact: Fact) -> str:
    """Return a fact's value with its unit, for people."""
    value = fact.value
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and fact.unit == "seconds":
        return duration_words(float(value))
    if isinstance(value, float):
        value = f"{value:.4g}"
    return f"{value} {fact.unit}".rstrip()


def _age_filter(now: Callable[[], datetime]) -> Callable[[datetime], Markup]:
    def age(instant: datetime) -> Markup:
        """Render how long ago it was; the page's script keeps it ticking."""
        words = age_words((now() - instant).total_seconds())
        stamp = instant.isoformat(timespec="seconds")
        return Markup('<time data-age datetime="{}">{}</time>').format(stamp, words)

    return age


def _clock(instant: datetime) -> Markup:
    """Render an instant; the page's script turns it into the reader's own time zone."""
    return Markup('<time data-clock datetime="{}">{}</time>').format(
        instant.isoformat(timespec="seconds"), f"{instant:%Y-%m-%d %H:%M:%S} UTC"
    )


def _share(part: float) -> str:
    """Return a share in percent, cut and never rounded up."""
    return f"{math.floor(part * 1000 + 1e-9) / 10:.1f} %"


def _epoch(instant: datetime) -> int:
    """Return milliseconds since 1970: part of an element's id."""
    return int(instant.timestamp() * 1000)


def render(environment: Environment, template: str, **values: Any) -> str:
    """Return the template filled in."""
    return environment.get_template(template).render(**values)
