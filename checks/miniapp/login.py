"""Signs in to the watched API as a Mini App does, and carries that login to further calls."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import Field

from checks.base import IO, CheckConfig, Secret
from checks.http import Exchange, exchange
from checks.miniapp.init_data import PROBE_USER_ID, Forgery, init_data
from checks.miniapp.route import Method, Route, guessed_method, login_of
from checks.result import Fact, Reason, Verdict, unknown
from checks.wording import address, path

HEADER_FORMS = (
    "header Authorization tma",
    "header X-Telegram-Init-Data",
    "header X-Init-Data",
    "header Authorization Bearer",
)
JSON_FORMS = ("json initData", "json init_data", "json initDataRaw", "json init_data_raw")
"""The usual ways to send init data, tried in this order where none is configured."""

_REFUSED = ("ok", "success", "valid", "authenticated")
_TOKENS = ("access_token", "accessToken", "token", "jwt")


class LoginConfig(CheckConfig):
    """How a Mini App signs in to its API: the settings that all checks with a login share."""

    api_url: str = Field(pattern=r"^https?://[^\s/]+")
    key: Secret
    """HMAC-SHA256("WebAppData", bot token) in hex. The token itself is not needed."""
    login_url: str | None = Field(default=None, pattern=r"^https?://[^\s/]+")
    """The login, or any GET that only a signed-in app may make. Without it the API's /openapi.json is asked."""
    login_method: Method | None = None
    """Without it GET for `/me` and its like, else POST."""
    send_as: str | None = Field(default=None, pattern=r"^(header [\w-]+( \w+)?|json \w+|query \w+)$")
    """How it is sent: `header NAME [SCHEME]`, `json FIELD`, `query NAME`; without it the usual ones are tried."""
    user_id: int = Field(default=PROBE_USER_ID, gt=0)
    """Who signs in: an id that is no real user's."""


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to sign in."""

    form: str
    answer: Exchange

    @property
    def is_accepted(self) -> bool:
        """Return whether the API took it: 2xx, and its JSON does not say no."""
        return is_accepted(self.answer)


@dataclass(frozen=True, slots=True)
class Login:
    """What signing in gave."""

    route: Route | None
    """None where no login is known."""
    tries: tuple[Try, ...] = ()
    without: Exchange | None = field(default=None, repr=False)
    """The same call without any login, made where no try was accepted: whoever answers differently has read it."""

    @property
    def accepted(self) -> Try | None:
        """Return the attempt that was accepted."""
        return next((one for one in self.tries if one.is_accepted), None)

    def facts(self) -> tuple[Fact, ...]:
        """Return where and how it was tried, without what was sent."""
        if self.route is None:
            return ()
        facts = [Fact("login", f"{self.route.method} {address(self.route.url)}{path(self.route.url)}")]
        return (*facts, *(Fact(f"as {one.form}", one.answer.status) for one in self.tries))


async def sign_in(io: IO, config: LoginConfig) -> Login:
    """Send genuine init data to the login, in each usual form until one is accepted. Raises network errors."""
    route = await found_route(io, config)
    if route is None:
        return Login(None)
    genuine = init_data(config.key.get_secret_value(), io.now(), user_id=config.user_id)
    tries: list[Try] = []
    for form in forms_for(config, route):
        one = Try(form, await send(io, route, form, genuine))
        tries.append(one)
        if one.is_accepted or one.answer.status >= 500 or one.answer.status in (404, 405, 429):
            return Login(route, tuple(tries))
    return Login(route, tuple(tries), await send(io, route, tries[0].form, ""))


async def found_route(io: IO, config: LoginConfig) -> Route | None:
    """Return the configured login, else the one that /openapi.json shows."""
    if config.login_url is not None:
        return Route(config.login_method or guessed_method(config.login_url), config.login_url, config.send_as or "")
    return login_of(await description_of(io, config.api_url), config.api_url)


async def description_of(io: IO, api_url: str) -> Any:
    """Return the API's OpenAPI description, None where it has none."""
    answer = await exchange(io, "GET", f"{api_url.rstrip('/')}/openapi.json", body_limit_bytes=4_000_000)
    return json_of(answer) if answer.is_success else None


def forms_for(config: LoginConfig, route: Route) -> tuple[str, ...]:
    """Return the ways to try, in order."""
    if config.send_as is not None:
        return (config.send_as,)
    if route.form:
        return (route.form,)
    return HEADER_FORMS if route.method == "GET" else (*JSON_FORMS, *HEADER_FORMS)


async def send(io: IO, route: Route, form: str, given: str) -> Exchange:
    """Call the login with init data in one form; empty init data: without any."""
    url, headers, content = dressed(route.url, form, given)
    is_json = route.method == "POST"
    body = (content or b"{}") if is_json else None
    kind = {"content-type": "application/json"} if is_json else {}
    headers = {"accept": "application/json", **kind, **headers}
    return await exchange(io, route.method, url, headers=headers, content=body)


def dressed(url: str, form: str, given: str) -> tuple[str, dict[str, str], bytes | None]:
    """Return address, headers and body that carry init data in this form."""
    if not given:
        return url, {}, None
    way, name, *scheme = form.split()
    if way == "header":
        return url, {name: " ".join([*scheme, given])}, None
    if way == "query":
        return f"{url}{'&' if '?' in url else '?'}{urlencode({name: given}, quote_via=quote)}", {}, None
    return url, {}, json.dumps({name: given}).encode()


def carried(config: LoginConfig, login: Try, now: datetime, url: str) -> tuple[str, Mapping[str, str]] | None:
    """Return address and headers of a further call as the one signed in: the same form, or the token or cookie got.

    None where the login gave nothing to carry.
    """
    if not login.form.startswith("json"):
        given = init_data(config.key.get_secret_value(), now, user_id=config.user_id)
        target, headers, _ = dressed(url, login.form, given)
        return target, headers
    content = json_of(login.answer)
    token = next((content[name] for name in _TOKENS if name in content), None) if isinstance(content, dict) else None
    if isinstance(token, str) and token:
        return url, {"authorization": f"Bearer {token}"}
    cookie = login.answer.headers.get("set-cookie", "").split(";", 1)[0]
    return (url, {"cookie": cookie}) if cookie else None


def json_of(answer: Exchange) -> Any:
    """Return the body as JSON, None where it is none."""
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def is_accepted(answer: Exchange) -> bool:
    """Say whether an answer to a login is a yes."""
    content = json_of(answer)
    says_no = isinstance(content, dict) and any(content.get(name) is False for name in _REFUSED)
    return answer.is_success and not says_no


def forged(config: LoginConfig, forgery: Forgery, io: IO) -> str:
    """Return init data that must be refused."""
    return init_data(config.key.get_secret_value(), io.now(), user_id=config.user_id, forgery=forgery)


def no_login_known() -> Verdict:
    """Return the verdict where nothing tells which call is the login."""
    return unknown(
        Reason.NOT_CONFIGURED,
        "no login is known: the API does not describe one",
        hint="Say in monitor.yaml which call takes the Mini App's init data: checks.miniapp.auth.login_url (and the "
        "same for miniapp.auth_guard and miniapp.calls).",
    )
