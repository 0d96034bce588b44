"""Checks what `status_page` in `monitor.yaml` names."""

from collections.abc import Mapping

from monitor.config.stack import Services, StatusPage, nearest
from monitor.engine.model import CheckPolicy


def unknown_services(page: StatusPage, known: Services, policies: Mapping[str, CheckPolicy]) -> list[str]:
    """Return one line for each service that no check is about, nor may be once something is found."""
    services = {policy.service for policy in policies.values()} | set(known.model_dump().values())
    return [
        f"status_page.{key}: no check is about {name!r}{nearest(name, services)}"
        for key, names in (("services", page.services), ("names", tuple(page.names)))
        for name in names
        if name not in services
    ]
