"""Kind `http`: one request of the user's own, and what its answer must be."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr, model_validator

from checks.base import IO, Check, CheckConfig, Seconds, Secret
from checks.custom.hiding import hidden_words, plain, shown_url, without
from checks.failures import told_as
from checks.http import Exchange, exchange
from checks.redaction import redact
from checks.result import EXCERPT_CHARACTERS, Evidence, Fact, Reason, Verdict, degraded, failed, ok
from checks.wording import address, duration, shortened

MOST_REDIRECTS = 10
_SECRET_ON_ANOTHER_HOST = frozenset({"authorization", "cookie", "proxy-authorization"})


def _is_web(value: str | SecretStr) -> str | SecretStr:
    parts = urlsplit(plain(value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL that starts with http:// or https://")
    return value


Url = Annotated[str | Secret, AfterValidator(_is_web)]
Scalar = str | int | float | bool | None


class HttpConfig(CheckConfig):
    """The request, and what is expected of the answer."""

    kind: Literal["http"] = "http"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 10.0
    url: Url
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    headers: Mapping[str, Secret] = {}
    """Never shown."""
    body: Secret | None = None
    """Sent as it is; never shown."""
    expected_status: tuple[int, ...] = ()
    """One of these; empty: any 2xx."""
    json_equals: Mapping[str, Scalar] = {}
    """Path with dots (`checks.0.status`) → the value that must stand there."""
    text_present: tuple[str, ...] = ()
    """Each must be in the body."""
    expected_headers: Mapping[str, str] = {}
    """Header → text that must be in its value, whatever the case."""
    follow_redirects: bool = False
    slow_seconds: Seconds = 2.0
    """Above this, all redirects together, it is degraded."""

    @model_validator(mode="after")
    def _body_can_be_sent(self) -> Self:
        if self.body is not None and self.method in ("GET", "HEAD", "OPTIONS"):
            raise ValueError(f"body: cannot be sent with {self.method}; give a method")
        return self


@dataclass(frozen=True, slots=True)
class HttpSeen:
    """Every exchange, the redirects first; the last is the answer."""

    exchanges: tuple[Exchange, ...]

    @property
    def answer(self) -> Exchange:
        """Return the last exchange."""
        return self.exchanges[-1]

    @property
    def seconds(self) -> float:
        """Return how long all of them took."""
        return sum(one.phases.total_seconds for one in self.exchanges)


class Http(Check[HttpConfig, HttpSeen]):
    """Send the request, follow its redirects where that is wanted, compare the answer."""

    Config = HttpConfig

    async def measure(self, io: IO) -> HttpSeen:
        """Send it once."""
        config = self.config
        method, url = config.method, plain(config.url)
        headers = {name.lower(): value.get_secret_value() for name, value in config.headers.items()}
        content = None if config.body is None else config.body.get_secret_value().encode()
        seen = [await exchange(io, method, url, headers=headers, content=content)]
        while config.follow_redirects and seen[-1].location is not None and len(seen) <= MOST_REDIRECTS:
            status, following = seen[-1].status, seen[-1].location
            if status == 303 or (status in (301, 302) and method == "POST"):
                method, content = ("HEAD" if method == "HEAD" else "GET"), None
            if _origin(following) != _origin(url):
                headers = {name: value for name, value in headers.items() if name not in _SECRET_ON_ANOTHER_HOST}
            url = following
            seen.append(await exchange(io, method, url, headers=headers, content=content))
        return HttpSeen(tuple(seen))

    def judge(self, seen: HttpSeen, now: datetime, before: Sequence[HttpSeen] = ()) -> Verdict:
        """Judge the status, then what must be in the answer, then the time."""
        config, answer = self.config, seen.answer
        summary = f"{self._subject} {answer.status} in {duration(seen.seconds)}"
        facts = self._facts(seen)
        values = answer.phases.values() | {"latency_seconds": seen.seconds}
        excerpt = self._clean(answer.text)[:EXCERPT_CHARACTERS] or None
        if config.follow_redirects and len(seen.exchanges) > MOST_REDIRECTS and answer.location is not None:
            return failed(
                Reason.HTTP_STATUS, f"{self._subject}: more than {MOST_REDIRECTS} redirects", *facts,
                hint="It goes round in a circle: http and https, or with and without a slash?", values=values,
            )  # fmt: skip
        if not (answer.status in config.expected_status if config.expected_status else answer.is_success):
            wanted = " or ".join(str(status) for status in config.expected_status) or "2xx"
            reason, hint = self._status_meaning(answer.status)
            return failed(reason, f"{summary}, expected {wanted}", *facts, hint=hint, excerpt=excerpt, values=values)
        wrong = self._wrong(answer)
        if wrong is not None:
            return failed(
                Reason.BODY_MISMATCH, f"{self._subject} {answer.status}, but {wrong}", *facts,
                hint="It answers, and not what it should: look at the excerpt, then at the service's log.",
                excerpt=excerpt, values=values,
            )  # fmt: skip
        if seen.seconds > config.slow_seconds:
            return degraded(
                Reason.SLOW, f"{summary}, slower than {duration(config.slow_seconds)}", *facts,
                hint=f"Look at {config.service}'s CPU and memory, then at what it waits for.", values=values,
            )  # fmt: skip
        return ok(summary, *facts, values=values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the request."""
        told = told_as(verdict, self._subject, {}, Fact("host", address(plain(self.config.url))))
        if told.evidence.excerpt is None:
            return told
        clean = Evidence(told.evidence.facts, self._clean(told.evidence.excerpt))
        return Verdict(told.outcome, told.summary, told.reason, told.hint, clean, told.values, told.certain)

    @property
    def _subject(self) -> str:
        return f"{self.config.method} {shortened(shown_url(self.config.url), 80)}"

    def _facts(self, seen: HttpSeen) -> tuple[Fact, ...]:
        chain = [
            Fact("redirect", f"{one.status} to {self._clean(shown_url(one.location))}")
            for one in seen.exchanges
            if one.location is not None
        ]
        answer = seen.answer
        return (
            Fact("host", address(answer.url)),
            *chain,
            Fact("status", answer.status),
            Fact("latency", round(seen.seconds, 4), "s"),
            Fact("content type", answer.content_type or "none"),
        )

    def _clean(self, text: str) -> str:
        """Mask the user's own secrets, whole and before anything is cut."""
        secrets = [value.get_secret_value() for value in self.config.headers.values()]
        if self.config.body is not None:
            secrets.append(self.config.body.get_secret_value())
        return redact(without(text, hidden_words(self.config.url, secrets)))

    def _wrong(self, answer: Exchange) -> str | None:
        """Return what the answer lacks, None when it is as expected."""
        for name, text in self.config.expected_headers.items():
            value = answer.headers.get(name.lower())
            if value is None:
                return f"header {name} is missing"
            if text.lower() not in value.lower():
                return f"header {name} is {shortened(self._clean(value), 60)!r}, not {text!r}"
        for text in self.config.text_present:
            if text not in answer.text:
                return f"{shortened(text, 60)!r} is not in its body"
        if not self.config.json_equals:
            return None
        try:
            body = json.loads(answer.text)
        except ValueError:
            return "its body is cut at 64 KiB, so not JSON to us" if answer.is_cut else "its body is not JSON"
        for path, wanted in self.config.json_equals.items():
            try:
                value = value_at(body, path)
            except LookupError:
                return f"{path} is missing"
            if not _is_same(value, wanted):
                said = shortened(self._clean(json.dumps(value, ensure_ascii=False)), 60)
                return f"{path} is {said}, not {json.dumps(wanted, ensure_ascii=False)}"
        return None

    def _status_meaning(self, status: int) -> tuple[Reason, str]:
        service = self.config.service
        if status in (401, 403):
            return Reason.AUTH_REJECTED, "It asks for a login: is the header of this check right, or its token expired?"
        if status == 429:
            return Reason.RATE_LIMITED, "A rate limit keeps us out: look less often, or exempt the monitor."
        if 300 <= status < 400:
            return Reason.HTTP_STATUS, "It redirects: give the final address, or `follow_redirects: true`."
        if status == 404:
            return Reason.HTTP_STATUS, f"No such path: is the address right, and the last deploy of {service} whole?"
        if status in (502, 503, 504):
            return Reason.HTTP_STATUS, f"Nothing healthy stands behind it: is {service} deploying, crashed or asleep?"
        return Reason.HTTP_STATUS, f"Look for this request in the log of {service}."


def value_at(body: Any, path: str) -> Any:
    """Return what stands at a path with dots. Raises LookupError where there is nothing."""
    for part in path.split("."):
        if isinstance(body, list) and part.isdigit():
            body = body[int(part)]
        elif isinstance(body, dict):
            body = body[part]
        else:
            raise LookupError(path)
    return body


def _is_same(value: Any, wanted: Scalar) -> bool:
    """Compare as JSON does: true is not 1, and 1.0 is 1."""
    return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port
