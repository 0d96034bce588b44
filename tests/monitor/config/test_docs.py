"""The documentation names every setting there is, and the example in it is a good one."""

import re
from pathlib import Path

from pydantic import BaseModel

from checks.base import Confirm, Recover
from monitor.config.settings import Settings, settings_from
from monitor.config.stack import (
    Alerts,
    Defaults,
    Deploys,
    Incidents,
    Services,
    Slo,
    Stack,
    StatusPage,
    TelegramChat,
    Vantage,
    stack_of,
)

PAGE = Path("docs/configuration.md").read_text(encoding="utf-8")


def test_every_variable_has_its_row() -> None:
    rows = set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE))
    assert rows == {name.upper() for name in Settings.model_fields}


def test_every_key_of_the_file_is_named() -> None:
    models: tuple[type[BaseModel], ...] = (
        Stack,
        Services,
        Defaults,
        Vantage,
        Incidents,
        Alerts,
        TelegramChat,
        Slo,
        Deploys,
        StatusPage,
        Confirm,
        Recover,
    )
    keys = {name for model in models for name in model.model_fields}
    missing = {key for key in keys if not re.search(rf"[`.]{key}\b", PAGE)}
    assert missing == set()


def test_the_example_is_a_good_one() -> None:
    from monitor.config.checklist import build_checklist

    example = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
    stack = stack_of(example, "monitor.yaml")
    environ = {
        "API_URL": "https://a.example",
        "DATABASE_URL": "postgresql://u:p@h/d",
        "MINIAPP_URL": "https://m.example",
        "ALERT_BOT_TOKEN": f"123456789:{'A' * 35}",
    }
    checklist = build_checklist(settings_from(environ), stack)
    assert "miniapp.page" not in checklist.checks
    assert checklist.plan.checks["shop.admin"].hard_parents[0] == "postgres.connect"
    assert dict(checklist.chat_targets) == {"telegram:ops": "-1001234567890/7", "telegram:lead": "4711"}


def test_the_example_of_each_kind_of_one_s_own_is_a_good_one() -> None:
    from checks.registry import CHECKS
    from monitor.config.checklist import build_checklist
    from monitor.config.environment import with_environment

    example = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[-1]
    stack = stack_of(example, "monitor.yaml")
    environ = {"SHOP_CUSTOMER": "customer-secret", "SHOP_TOKEN": "token-secret", "BACKUP_TOKEN": "backup-secret-word"}
    stack, unset = with_environment(stack, environ.get)
    assert unset == []
    checklist = build_checklist(settings_from({"API_URL": "https://a.example"}), stack)
    own = {check_id: check.config for check_id, check in checklist.checks.items() if check_id.startswith("shop.")}
    assert {config.kind for config in own.values()} == {kind for kind in CHECKS if "." not in kind}
    assert own["shop.backup"].token.get_secret_value() == "backup-secret-word"  # type: ignore[attr-defined]
    assert "secret-word" not in repr(own)
