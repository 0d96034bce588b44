"""The post-deploy checklist in its own words: which checks answer each line, and what an unanswered one needs."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.config.checklist import Checklist, Skipped
from monitor.config.rows import ROWS


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the checklist."""

    words: str
    """`Heading: what must be true`."""
    checks: tuple[str, ...]
    """Ids that answer it; one ending in `.` stands for all that begin so. A row may name the line too, as an extra."""
    needs: str = ""
    """What answers it where no setting would."""


_RENDER = "Render's API (not asked yet)"
_HELPER = "the helper in the bot"

LINES: tuple[Line, ...] = (
    Line("API: health check endpoint returns 200", ("api.health",)),
    Line("API: all API routers are accessible", ("api.routers",), "an OpenAPI document"),
    Line("API: database connections work", ("postgres.connect", "postgres.capacity", "api.health")),
    Line("API: Redis connections work", ("redis.ping", "redis.write", "redis.memory")),
    Line("Bot: responds to commands", ("bot.reply", "bot.commands"), _HELPER),
    Line("Bot: webhook receives updates", ("bot.webhook", "bot.delivery", "bot.ingress", "bot.guard")),
    Line("Bot: modules load correctly", ("bot.modules",), "a health endpoint of the bot that lists its modules"),
    Line("Bot: background tasks execute", ("bot.reply", "worker.canary"), _HELPER),
    Line("Worker: connects to broker", ("worker.online",)),
    Line("Worker: tasks execute successfully", ("worker.canary", "worker.tasks", "queue.")),
    Line("Worker: no errors in logs", ("worker.failures", "platform.runtime_logs"), _RENDER),
    Line("Beat: starts", ("beat.alive",)),
    Line("Beat: scheduled tasks trigger", ("beat.schedule",), "a beat schedule in the workers' configuration"),
    Line(
        "Beat: cron expressions work", ("beat.schedule", "beat.config"), "a beat schedule in the workers' configuration"
    ),
    Line("Mini App: React app loads", ("miniapp.page", "miniapp.render", "miniapp.sdk")),
    Line("Mini App: API calls succeed", ("miniapp.calls",), "API_URL and the Mini App's login"),
    Line("Mini App: authentication works", ("miniapp.auth", "miniapp.auth_guard"), "API_URL and BOT_TOKEN"),
    Line("Render: build logs for warnings", ("platform.build_logs",), _RENDER),
    Line(
        "Render: service health indicators",
        ("platform.deploys", "platform.service", "platform.events", "platform.instances"),
        _RENDER,
    ),
    Line("Render: resource usage (CPU, memory, disk)", ("platform.resources",), _RENDER),
    Line(
        "Logs: start-up errors, import errors, deprecation warnings, performance", ("platform.runtime_logs",), _RENDER
    ),
    Line("Dependencies: wheels for the target Python, no compilation", ("build.wheels",), "a look at the build"),
    Line("render.yaml: build commands, environment", ("build.blueprint",), "a look at render.yaml"),
)


class Answer(StrEnum):
    """How well a line is answered."""

    FULLY = "fully"
    PARTLY = "partly"
    """Some of its checks are not built."""
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Covered:
    """One line with what answers it here."""

    words: str
    answer: Answer
    by: tuple[str, ...]
    """The checks that are built."""
    lacking: Mapping[str, str]
    """Check that is not built → the setting that would add it, or what it needs."""
    left_out: Mapping[str, str]
    """Check that is not built on purpose → why: switched off, off by default, or of no sense here."""

    @property
    def why(self) -> str:
        """Return in a few words what is lacking or left out; empty where nothing is."""
        lacking = (f"{setting} adds {checks}" for setting, checks in _grouped(self.lacking))
        left_out = (f"{checks} is {why}" for why, checks in _grouped(self.left_out))
        return "; ".join((*lacking, *left_out))


def _grouped(whys: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    checks: dict[str, list[str]] = {}
    for check, why in whys.items():
        checks.setdefault(why, []).append(check)
    return ((why, ", ".join(names)) for why, names in checks.items())


def coverage(checklist: Checklist, kinds: Collection[str]) -> tuple[Covered, ...]:
    """Return every line with the checks of `checklist` that answer it. `kinds`: those this program has."""
    skipped = {item.id: item for item in checklist.skipped}
    return tuple(_covered(line, set(checklist.checks), skipped, kinds) for line in LINES)


def _covered(line: Line, built: set[str], skipped: Mapping[str, Skipped], kinds: Collection[str]) -> Covered:
    ids = [check for name in line.checks for check in _named(name, kinds)]
    also = [row.id for row in ROWS if row.checklist == line.words and row.id not in ids]
    by = tuple(check for check in (*ids, *also) if check in built)
    left_out = {
        check: skipped[check].why or "switched off" for check in ids if check in skipped and not skipped[check].setting
    }
    lacking = {
        check: skipped[check].setting if check in skipped else line.needs or "a later version"
        for check in ids
        if check not in built and check not in left_out
    }
    answer = Answer.NOT if not by else Answer.PARTLY if lacking else Answer.FULLY
    return Covered(line.words, answer, by, lacking, left_out)


def _named(name: str, kinds: Collection[str]) -> tuple[str, ...]:
    """Return the checks that a name stands for."""
    if not name.endswith("."):
        return (name,)
    return tuple(sorted(kind for kind in kinds if kind.startswith(name)))
