"""`${NAME}` in the settings of a check: the value of an environment variable, which hides itself from then on."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import SecretStr

from monitor.config.stack import Stack

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def with_environment(stack: Stack, value_of: Callable[[str], str | None]) -> tuple[Stack, list[str]]:
    """Return the stack with each `${NAME}` of its checks filled in, and one line for each variable that is not set.

    A filled-in text is a secret, whole: where a check takes no secret, its validation says so.
    """
    lines: list[str] = []

    def filled(value: Any, path: str) -> Any:
        if isinstance(value, Mapping):
            return {key: filled(item, f"{path}.{key}") for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [filled(item, f"{path}.{number}") for number, item in enumerate(value)]
        if not isinstance(value, str) or not _NAME.search(value):
            return value
        missing = sorted({name for name in _NAME.findall(value) if not value_of(name)})
        lines.extend(f"{path}: the environment variable {name} is not set" for name in missing)
        return SecretStr(_NAME.sub(lambda found: value_of(found[1]) or found[0], value))

    checks = {check_id: filled(settings, f"checks.{check_id}") for check_id, settings in stack.checks.items()}
    return stack.model_copy(update={"checks": checks}), lines
