"""From `slo` in `monitor.yaml` to objectives over the checks that are built."""

from collections.abc import Iterable, Mapping, Sequence, Set

from monitor.config.stack import Slo, nearest
from monitor.engine.model import CheckPolicy
from monitor.engine.objectives import Objective

DAY_SECONDS = 86_400.0


def objectives_of(
    given: Iterable[Slo], policies: Mapping[str, CheckPolicy], skipped: Mapping[str, str], findable: Set[str]
) -> tuple[tuple[Objective, ...], list[str]]:
    """Return the objectives, and one line for each mistake. `skipped`: checks not built, and the setting they lack.

    Those of them that are `findable` join the objective when they are built.
    """
    objectives: list[Objective] = []
    lines: list[str] = []
    for slo in given:
        where = f"slo.{slo.name}"
        if any(slo.name == earlier.name for earlier in objectives):
            lines.append(f"{where}: stands twice")
            continue
        if slo.service is not None:
            checks = [policy.id for policy in policies.values() if policy.service == slo.service]
            services = {policy.service for policy in policies.values()}
            if not checks:
                lines.append(f"{where}.service: no check is about {slo.service!r}{nearest(slo.service, services)}")
                continue
        else:
            wrong = [
                _complaint(where, name, policies, skipped)
                for name in slo.checks
                if name not in policies and not (skipped.get(name) and name in findable)
            ]
            checks = [name for name in dict.fromkeys(slo.checks) if name in policies]
            if wrong or not checks:
                lines += wrong
                continue
        objectives.append(
            Objective(
                slo.name,
                slo.service or _common_service([policies[name] for name in checks]),
                tuple(checks),
                slo.target / 100,
                slo.window_days * DAY_SECONDS,
            )
        )
    return tuple(objectives), lines


def _complaint(where: str, name: str, policies: Mapping[str, CheckPolicy], skipped: Mapping[str, str]) -> str:
    if skipped.get(name):
        return f"{where}.checks: {name} needs the environment variable {skipped[name]}"
    if name in skipped:
        return f"{where}.checks: {name} is switched off"
    return f"{where}.checks: {name!r} is no check{nearest(name, set(policies))}"


def _common_service(policies: Sequence[CheckPolicy]) -> str:
    """Return the service of all of them, so that its silences and deploys hold for the objective too."""
    services = {policy.service for policy in policies}
    return services.pop() if len(services) == 1 else "slo"
