"""What a check is: its configuration, what it is given to look with, and the two methods it has."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from checks.result import Verdict

if TYPE_CHECKING:
    import asyncpg
    import httpx
    import redis.asyncio

Seconds = Annotated[float, Field(gt=0, le=7 * 86_400)]
Severity = Literal["page", "warning"]


class Confirm(BaseModel):
    """When failures count as an outage: `failures` in a row over `span_seconds`, or M of the last K looks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    failures: int = Field(default=3, ge=1, le=20)
    span_seconds: float = Field(default=20.0, ge=0, le=3600)
    of_last_failures: int = Field(default=5, ge=1, le=64)
    """M: so many failures among the last K looks confirm an intermittent outage."""
    of_last_looks: int = Field(default=15, ge=1, le=64)
    """K."""

    @model_validator(mode="after")
    def _m_within_k(self) -> "Confirm":
        if self.of_last_failures > self.of_last_looks:
            raise ValueError(
                f"of_last_failures: {self.of_last_failures} must not be above of_last_looks {self.of_last_looks}"
            )
        return self


class Recover(BaseModel):
    """When successes count as recovery: `successes` in a row over `span_seconds`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    successes: int = Field(default=3, ge=1, le=20)
    span_seconds: float = Field(default=20.0, ge=0, le=3600)


class CheckConfig(BaseModel):
    """The settings every check has. Each kind adds its own in a subclass beside the check."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_-]+)+$", max_length=80)
    """`<service>.<what>`, the name a human sees."""
    service: str = Field(min_length=1, max_length=60)
    """The service it speaks about, e.g. `nexus-api`."""
    interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 10.0
    retry_seconds: Seconds = 10.0
    """How soon to look again while suspect, recovering, held or gated."""
    confirm: Confirm = Confirm()
    recover: Recover = Recover()
    severity: Severity = "page"
    depends_on: tuple[str, ...] = ()
    """Hard parents: while one is down, this check's failure is its symptom."""
    explained_by: tuple[str, ...] = ()
    """Soft parents: one that is down is named as a possible explanation. They never suppress."""
    slow_ceiling_seconds: Seconds | None = None
    """A look that works but takes longer is slow, whatever is usual. None = no limit beside the kind's own."""
    stale_after_seconds: Seconds | None = None
    """How long one look is evidence. None = three intervals and the time limit. Unseen for twice as long: a warning."""
    runbook_url: str | None = None
    checklist: str = ""
    """The line of the post-deploy checklist that it answers."""

    @model_validator(mode="after")
    def _timeout_below_interval(self) -> "CheckConfig":
        if self.timeout_seconds >= self.interval_seconds:
            raise ValueError(
                f"timeout_seconds: {self.timeout_seconds:g} must be below interval_seconds {self.interval_seconds:g}"
            )
        return self

    @model_validator(mode="after")
    def _ceiling_below_timeout(self) -> "CheckConfig":
        ceiling = self.slow_ceiling_seconds
        if ceiling is not None and ceiling >= self.timeout_seconds:
            raise ValueError(
                f"slow_ceiling_seconds: {ceiling:g} must be below timeout_seconds {self.timeout_seconds:g}"
            )
        return self


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing a feed heard: a Celery event or a stored result."""

    at: datetime
    """When it arrived here."""
    type: str
    """`worker-online`, `worker-heartbeat`, `task-received`, `task-succeeded`, … or `result` for a stored result."""
    data: "dict[str, Any]"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many runs of one task ended in one way within one minute."""

    minute_at: datetime
    """The beginning of the minute."""
    prefix: str
    """`global_keyprefix` of the app."""
    task: str
    """Empty where the task's name was not heard."""
    ending: str
    """`succeeded`, `failed`, `retried` or `expired`."""
    exception: str
    """The class of the exception, without its message; empty where there was none."""
    count: int


@dataclass(frozen=True, slots=True)
class FeedView:
    """What a feed has heard, as one immutable picture."""

    listening_since: datetime | None
    """Since when without a gap; None while not connected."""
    heard: tuple[Heard, ...]
    """Oldest first, bounded; only what arrived since `listening_since`."""
    error: str = ""
    """Why it is not connected, redacted."""
    tallies: tuple[Tally, ...] = ()
    """How tasks ended in the last 15 minutes, also before a gap; oldest first, bounded."""
    successes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By (prefix, task): how many times in a row it has succeeded up to now."""
    runtimes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """The last run times of each task, in seconds, oldest first."""


class Feeds(Protocol):
    """Long-lived listeners, kept by the prober and shared by checks that need a stream."""

    async def celery(self, broker_url: str, *, wait_seconds: float = 0.0) -> FeedView:
        """Return what was heard on this broker, at most `wait_seconds` after waiting for something new.

        The first call starts the listener.
        """
        ...


class RenderReader(Protocol):
    """Render's API for one key, kept by the prober: who asks the same at about the same time shares one answer."""

    async def get(self, path: str, parameters: Sequence[tuple[str, str]] = (), *, max_age_seconds: float = ...) -> Any:
        """Return the JSON answer, at most so old. Raises what Render's API or the way to it calls for."""
        ...

    async def all(
        self,
        path: str,
        parameters: Sequence[tuple[str, str]] = (),
        *,
        max_age_seconds: float = ...,
        most_pages: int = ...,
    ) -> list[Any]:
        """Return the items of a list, page after page."""
        ...


class Browser(Protocol):
    """A browser of one look, spoken to in the Chrome DevTools Protocol."""

    async def open_page(self) -> None:
        """Open an empty page; every later command is for it."""
        ...

    def on(self, event: str, listener: "Callable[[Mapping[str, Any]], None]") -> None:
        """Give each such event's parameters to `listener`."""
        ...

    def post(self, method: str, **parameters: Any) -> int:
        """Send a command without waiting for its answer."""
        ...

    async def call(self, method: str, **parameters: Any) -> "dict[str, Any]":
        """Send a command and return its result. Raises ConnectionError when it is refused or the browser ends."""
        ...


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate that a TLS server shows, and what the handshake said of it."""

    problem: str
    """Why it is not to be trusted, in OpenSSL's words; empty when chain, name and dates are good."""
    problem_code: int = 0
    """OpenSSL's number of that problem (`X509_V_ERR_…`, openssl-verification-options(1)); 0: none."""
    names: tuple[str, ...] = ()
    """The host names and addresses it is made for."""
    issuer: str = ""
    valid_from: datetime | None = None
    """None, like all the rest, where a certificate is too broken to be read."""
    expires_at: datetime | None = None
    protocol: str = ""
    """`TLSv1.3`."""


@dataclass(frozen=True, slots=True)
class Push:
    """The last call that a job made to its dead-man's switch."""

    at: datetime
    is_good: bool = True
    """False where the job said that it had failed."""
    message: str = ""
    """Its own words."""


@dataclass(frozen=True, slots=True)
class IO:
    """What a look is made with. Each factory call opens one fresh connection and closes it on exit."""

    timeout_seconds: float
    """The whole look's budget; factories use it as their socket timeout."""
    now: Callable[[], datetime]
    """The wall clock, aware UTC."""
    monotonic: Callable[[], float]
    """Seconds, for durations."""
    http: "Callable[[], AbstractAsyncContextManager[httpx.AsyncClient]]"
    """A client without kept connections, without redirects, without trust in the environment's proxies."""
    postgres: "Callable[[str], AbstractAsyncContextManager[asyncpg.Connection[Any]]]"
    """Given a `postgresql://` URL."""
    redis: "Callable[[str], AbstractAsyncContextManager[redis.asyncio.Redis]]"
    """Given a `redis://` or `rediss://` URL."""
    connect_tcp: Callable[[str, int], AbstractAsyncContextManager[None]]
    """Open a TCP connection to (host, port) and close it."""
    resolve: Callable[[str], Awaitable[list[str]]]
    """Host name to its addresses; raises `OSError` (gaierror) when there are none."""
    certificate: Callable[[str, int], Awaitable[Certificate]]
    """The certificate at (host, port). Raises `OSError` when there is no TLS handshake at all."""
    browser: Callable[[str], AbstractAsyncContextManager[Browser]]
    """Given the program: start it with a fresh profile; on exit end all its processes and remove the profile."""
    keep_file: Callable[[str, bytes], Awaitable[str]]
    """Keep a file of evidence on our own disk, in the place of the last of its name; returns its path."""
    own_store: Callable[[], Awaitable[None]]
    """Write a row to the monitor's own database and read it back."""
    last_push: Callable[[str], Awaitable[Push | None]]
    """The last call to the dead-man's switch of this check id; None when there was none ever."""
    render: Callable[[str, SecretStr], RenderReader]
    """Given the base URL of Render's API and a key."""
    feeds: Feeds
    loop_lag_seconds: Callable[[], float]
    """The largest lateness of our own event loop in the last five seconds."""


ConfigT = TypeVar("ConfigT", bound=CheckConfig)
SeenT = TypeVar("SeenT")


class Check(ABC, Generic[ConfigT, SeenT]):
    """One thing to look at: `measure` does the I/O, `judge` decides. Neither knows of the other's world."""

    Config: ClassVar[type[CheckConfig]]
    """The configuration model of this kind."""
    remembers: ClassVar[int] = 0
    """How many earlier observations `judge` wants to see, newest last."""

    __slots__ = ("config",)

    def __init__(self, config: ConfigT) -> None:
        self.config = config

    @abstractmethod
    async def measure(self, io: IO) -> SeenT:
        """Look once: I/O only, no `try`, no threshold, no retry, a fresh connection.

        Errors fly: the runner turns them into a verdict with `checks.failures.verdict_of`.
        """

    @abstractmethod
    def judge(self, seen: SeenT, now: datetime, before: Sequence[SeenT] = ()) -> Verdict:
        """Decide what was seen. Pure. `before` holds up to `remembers` earlier observations, newest last."""

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Return the verdict of an error that `measure` raised, told in this check's words.

        `verdict` is what `checks.failures.verdict_of` made of it. A check adds its own subject and hint here, or
        says that it could not look (outcome unknown) where the error is not about its target.
        """
        return verdict


Secret = SecretStr
"""A value that hides itself: no repr, no str, no dump."""
