"""Settings from the environment: addresses, secrets and where the monitor itself lives."""

import base64
import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from checks.amqp import SCHEMES as AMQP_SCHEMES
from checks.redaction import redact
from monitor.config.stack import plain
from monitor.errors import UsageError

SIGNING_KEY_BYTES = 16
"""Shorter ones can be guessed (Standard Webhooks asks for 24)."""
OWN_PREFIX = "MONITOR_"
"""Variables with this prefix are ours alone, so an unknown one is a mistake."""


def _parts(url: str) -> SplitResult:
    """Split a URL. Raises ValueError in a few words where its port is none."""
    parts = urlsplit(url)
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("must have a number from 0 to 65535 as its port") from None
    return parts


def _http_url(value: str) -> str:
    parts = _parts(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL that starts with http:// or https://")
    return value.rstrip("/")


def _database_url(value: SecretStr) -> SecretStr:
    parts = _parts(value.get_secret_value())
    if parts.scheme.split("+")[0] not in ("postgresql", "postgres") or not parts.hostname:
        raise ValueError("must be a URL that starts with postgresql://")
    return SecretStr(f"postgresql://{value.get_secret_value().split('://', 1)[1]}")


def _own_database_url(value: SecretStr) -> SecretStr:
    scheme = _parts(value.get_secret_value()).scheme.split("+")[0]
    if scheme not in ("postgresql", "postgres", "sqlite"):
        raise ValueError("must be a URL that starts with sqlite:/// or postgresql://")
    return value


def _broker_url(value: SecretStr) -> SecretStr:
    parts = _parts(value.get_secret_value())
    if parts.scheme not in ("redis", "rediss", *AMQP_SCHEMES) or not parts.hostname:
        raise ValueError("must be a URL that starts with redis://, rediss://, amqp:// or amqps://")
    return value if parts.scheme in AMQP_SCHEMES else _redis_url(value)


def _redis_url(value: SecretStr) -> SecretStr:
    parts = _parts(value.get_secret_value())
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValueError("must be a URL that starts with redis:// or rediss://")
    database = parts.path.strip("/")
    if database and not database.isdigit():
        raise ValueError("must end in a database number, as in redis://host:6379/0")
    return value


def _bot_token(value: SecretStr) -> SecretStr:
    identity, _, secret = value.get_secret_value().partition(":")
    if not identity.isdigit() or len(secret) < 30:
        raise ValueError("must look like 123456789:AA… as BotFather gave it")
    return value


def _secret_http_url(value: SecretStr) -> SecretStr:
    _http_url(value.get_secret_value())
    return value


_BETWEEN_ADDRESSES = re.compile(r"[\s,]+(?=[A-Za-z][\w+.-]*://)")
"""An address may hold a comma itself; what opens the next one is its scheme."""


def _fallback_urls(value: SecretStr) -> SecretStr:
    for address in _BETWEEN_ADDRESSES.split(value.get_secret_value()):
        if not re.fullmatch(r"[A-Za-z][\w+.-]*://\S+", address.strip(", ")):
            raise ValueError("must be addresses like mailto://… or slack://…, separated by spaces or commas")
    return value


def _webhook_secret(value: SecretStr) -> SecretStr:
    written = value.get_secret_value().removeprefix("whsec_").rstrip("=")
    try:
        key = base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except ValueError:
        key = b""
    if len(key) < SIGNING_KEY_BYTES:
        raise ValueError("must be the signing secret as Render shows it: whsec_…")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
SecretHttpUrl = Annotated[SecretStr, AfterValidator(_secret_http_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
OwnDatabaseUrl = Annotated[SecretStr, AfterValidator(_own_database_url)]
BrokerUrl = Annotated[SecretStr, AfterValidator(_broker_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
BotToken = Annotated[SecretStr, AfterValidator(_bot_token)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]
FallbackUrls = Annotated[SecretStr, AfterValidator(_fallback_urls)]


class Settings(BaseModel):
    """What the environment says. Field names are the variables' names in lower case.

    The first group describes the stack that is watched: any subset will do. The second is the monitor's own.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    api_url: HttpUrl | None = None
    """The watched API, e.g. https://nexus-api.onrender.com."""
    database_url: DatabaseUrl | None = None
    """The watched PostgreSQL."""
    redis_url: RedisUrl | None = None
    """The watched Redis."""
    broker_url: BrokerUrl | None = None
    """Celery's broker, where it is not `REDIS_URL`."""
    bot_token: BotToken | None = None
    """The watched bot's token: only asked, never spoken with."""
    webhook_url: HttpUrl | None = None
    """The webhook the watched bot is expected to have."""
    webhook_secret: SecretStr | None = None
    """The secret token of that webhook, to post a harmless update through it."""
    probe_bot_token: BotToken | None = None
    """A third bot's, which asks the watched bot in a private group. Nobody else may poll it."""
    probe_chat_id: str | None = Field(default=None, pattern=r"^-\d+$")
    """That group's numeric chat id."""
    miniapp_url: HttpUrl | None = None
    """The watched Mini App's page."""
    render_api_key: SecretStr | None = None
    """A key of Render's API; read-only is enough unless the monitor may roll back."""
    render_api_url: HttpUrl = "https://api.render.com/v1"
    render_service_ids: str | None = Field(default=None, pattern=r"^srv-[\w-]+([\s,]+srv-[\w-]+)*$")
    """The watched services on Render, where they are not found by their names."""
    render_webhook_secret: WebhookSecret | None = None
    """The signing secret of Render's webhook to `/hooks/render`."""
    render_deploy_key: SecretStr | None = None
    """A key of Render's API that may deploy, for rollbacks, where `RENDER_API_KEY` may only read."""
    grafana_url: HttpUrl | None = None
    """A Grafana that gets an annotation for each deploy."""
    grafana_token: SecretStr | None = None
    sentry_url: HttpUrl = "https://sentry.io"
    sentry_org: str | None = None
    """The slug of the organization in Sentry whose releases are told of their deploys."""
    sentry_auth_token: SecretStr | None = None
    sentry_environment: str = "production"
    chromium: str | None = None
    """The browser that renders it, where it is not found under its usual names."""

    alert_bot_token: BotToken | None = None
    """The token of the monitor's own bot, which tells the operators. Never the watched bot's."""
    alert_chat_id: str | None = Field(default=None, pattern=r"^(-?\d+(/\d+)?|@\w+)$")
    """Where to tell: a numeric chat id, with `/topic` where the chat has topics."""
    telegram_api_url: HttpUrl = "https://api.telegram.org"
    monitor_database_url: OwnDatabaseUrl = SecretStr("sqlite:///nexus-monitor.db")
    monitor_spool_file: str = "nexus-monitor.spool"
    """Where it is kept what the database does not have yet, while that is away."""
    monitor_heartbeat_url: SecretHttpUrl | None = None
    """Asked every minute while the monitor works: a dead-man's switch outside. Who knows it can keep it quiet."""
    monitor_token: SecretStr | None = None
    """Bearer token of the HTTP interface, and password of the dashboard. Without it both are open."""
    monitor_host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8700
    monitor_url: HttpUrl | None = None
    """The dashboard's public address, for links in messages."""
    monitor_fallback_urls: FallbackUrls | None = None
    """Other ways to tell of a page that Telegram does not take: addresses as apprise writes them."""
    monitor_log_level: Literal["debug", "info", "warning", "error"] = "info"
    monitor_log_format: Literal["console", "json"] = "console"

    @property
    def celery_broker_url(self) -> SecretStr | None:
        """Return the broker's URL: `BROKER_URL`, else `REDIS_URL`."""
        return self.broker_url or self.redis_url

    @property
    def is_broker_redis(self) -> bool:
        """Say whether the broker is on the same server as `REDIS_URL`: what fails there then fails here."""
        return _server(self.celery_broker_url) == _server(self.redis_url)

    @property
    def is_broker_rabbitmq(self) -> bool:
        """Say whether the broker speaks AMQP."""
        return (
            self.celery_broker_url is not None
            and _parts(self.celery_broker_url.get_secret_value()).scheme in AMQP_SCHEMES
        )

    @property
    def fallback_addresses(self) -> tuple[SecretStr, ...]:
        """Return each address of `MONITOR_FALLBACK_URLS`."""
        if self.monitor_fallback_urls is None:
            return ()
        addresses = _BETWEEN_ADDRESSES.split(self.monitor_fallback_urls.get_secret_value())
        return tuple(SecretStr(address.strip(", ")) for address in addresses)


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Read the settings out of `environ`; empty variables count as not set.

    Raises UsageError with one line for each variable that cannot be used. Values are shown only where they
    are no secret.
    """
    known = {name.upper(): name for name in Settings.model_fields}
    given = {known[key]: value.strip() for key, value in environ.items() if key in known and value.strip()}
    if "monitor_url" not in given and environ.get("RENDER_EXTERNAL_URL"):
        given["monitor_url"] = environ["RENDER_EXTERNAL_URL"]
    lines = [_unknown_line(key, known) for key in sorted(environ) if key.startswith(OWN_PREFIX) and key not in known]
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        lines += [_invalid_line(item, given) for item in error.errors(include_url=False, include_context=False)]
        raise UsageError(*lines) from None
    if settings.bot_token and settings.alert_bot_token == settings.bot_token:
        lines.append("ALERT_BOT_TOKEN: is the same as BOT_TOKEN; the monitor needs a bot of its own")
    if settings.probe_bot_token and settings.probe_bot_token in (settings.bot_token, settings.alert_bot_token):
        lines.append("PROBE_BOT_TOKEN: is the same as BOT_TOKEN or ALERT_BOT_TOKEN; the prober needs a bot of its own")
    if settings.database_url and settings.database_url == _plain(settings.monitor_database_url):
        lines.append("MONITOR_DATABASE_URL: is the same as DATABASE_URL; the monitor needs a database of its own")
    lines += _lonely_lines(settings)
    if lines:
        raise UsageError(*lines)
    return settings


def _server(url: SecretStr | None) -> tuple[str, str | None, int] | None:
    if url is None:
        return None
    parts = _parts(url.get_secret_value())
    kind = "amqp" if parts.scheme in AMQP_SCHEMES else "redis"
    return kind, parts.hostname, parts.port or (5672 if kind == "amqp" else 6379)


_NEEDS = (
    ("render_webhook_secret", "render_api_key", "to ask what a delivery is about"),
    ("render_deploy_key", "render_api_key", "to know what to roll back"),
    ("grafana_token", "grafana_url", "to know where to leave a marker"),
    ("grafana_url", "grafana_token", "to leave a marker there"),
    ("sentry_org", "sentry_auth_token", "to leave a marker there"),
)


def _lonely_lines(settings: Settings) -> list[str]:
    """Return a line for each setting that does nothing without another one."""
    return [
        f"{name.upper()}: needs {other.upper()} as well, {why}"
        for name, other, why in _NEEDS
        if getattr(settings, name) is not None and getattr(settings, other) is None
    ]


def _plain(url: SecretStr) -> SecretStr:
    return SecretStr(f"postgresql://{url.get_secret_value().split('://', 1)[1]}")


def _unknown_line(key: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"{key}: unknown setting" + (f", did you mean {near[0]}?" if near else "")


_SECRET_FIELDS = frozenset(
    name for name, field in Settings.model_fields.items() if "SecretStr" in repr(field.annotation)
)


def _invalid_line(item: Any, given: Mapping[str, str]) -> str:
    name = str(item["loc"][0])
    message = plain(str(item["msg"]).removeprefix("Value error, "))
    shown = "" if name in _SECRET_FIELDS else f"{redact(given.get(name, ''))!r} "
    return f"{name.upper()}: {shown}{message}"
