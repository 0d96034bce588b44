"""`miniapp.page`: the Mini App's page and every file it loads are whole, fresh and allowed to run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from checks.base import IO, Check, CheckConfig, Seconds
from checks.failures import told_as
from checks.http import Exchange
from checks.miniapp.crawl import Crawl, crawl
from checks.miniapp.policy import blocked_scripts, cached_seconds, framing_fault
from checks.redaction import redact_url
from checks.result import Evidence, Fact, Outcome, Reason, Verdict
from checks.wording import address, duration, listed


class MiniappPageConfig(CheckConfig):
    """Where the Mini App is."""

    kind: Literal["miniapp.page"] = "miniapp.page"
    interval_seconds: Seconds = 60.0
    timeout_seconds: Seconds = 10.0
    url: str = Field(pattern=r"^https?://[^\s/]+")
    """The page that the bot's menu button opens."""


@dataclass(frozen=True, slots=True)
class MiniappPageSeen:
    """The loaded app."""

    crawl: Crawl


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the app."""

    is_fatal: bool
    """Users see a white screen, or an app that can do nothing."""
    reason: Reason
    what: str
    hint: str


class MiniappPage(Check[MiniappPageConfig, MiniappPageSeen]):
    """Load the page and its files; a bad page or entry script is failed, anything else degraded."""

    Config = MiniappPageConfig

    async def measure(self, io: IO) -> MiniappPageSeen:
        """Load everything once."""
        return MiniappPageSeen(await crawl(io, self.config.url))

    def judge(self, seen: MiniappPageSeen, now: datetime, before: Sequence[MiniappPageSeen] = ()) -> Verdict:
        """The worst problem gives the verdict; the others are evidence."""
        got = seen.crawl
        problems = self._problems(got)
        problems.sort(key=lambda problem: not problem.is_fatal)
        facts = _facts(got, problems)
        values = {
            **got.answer.phases.values(),
            "load_seconds": got.loaded_seconds,
            "assets_bytes": float(sum(asset.size_bytes for asset in got.assets)),
        }
        if not problems:
            hint = ""
            if got.insecure_hosts:
                hint = f"A script names http://{got.insecure_hosts[0]}: if it calls it, browsers block that from https."
            summary = f"page and {len(got.assets)} files in {duration(got.loaded_seconds)}"
            return Verdict(Outcome.OK, summary, None, hint, Evidence(facts), values)
        worst = problems[0]
        more = f" (+{len(problems) - 1} more)" if len(problems) > 1 else ""
        outcome = Outcome.FAILED if worst.is_fatal else Outcome.DEGRADED
        excerpt = got.answer.excerpt if worst.is_fatal else None
        return Verdict(outcome, worst.what + more, worst.reason, worst.hint, Evidence(facts, excerpt), values)

    def on_failure(self, verdict: Verdict) -> Verdict:
        """Say it of the page."""
        service = self.config.service
        hint = f"Render → {service} → Events: is the static site deployed, and its address still right?"
        hints = dict.fromkeys((Reason.CONNECTION_REFUSED, Reason.TIMEOUT, Reason.DNS_FAILURE), hint)
        return told_as(verdict, "page", hints, Fact("host", address(self.config.url)))

    def _problems(self, got: Crawl) -> list[Problem]:
        page_fault = self._page_fault(got)
        if page_fault is not None:
            return [page_fault]
        return [*self._asset_problems(got), *self._policy_problems(got)]

    def _page_fault(self, got: Crawl) -> Problem | None:
        """Return what makes the page itself no app, None when it is one."""
        answer, page, service = got.answer, got.page, self.config.service
        if answer.status != 200:
            hint = f"Render → {service} → Events: did the build publish the right folder (dist)? Is the address right?"
            return Problem(True, Reason.HTTP_STATUS, f"page is {answer.status}", hint)
        if answer.content_type not in ("text/html", "application/xhtml+xml"):
            what = f"page is served as {answer.content_type or 'no type'}, not HTML"
            return Problem(True, Reason.BODY_MISMATCH, what, "Another service answers at the Mini App's address.")
        if not any(reference.kind == "script" for reference in page.references) and not page.inline_scripts:
            hint = f"A placeholder or an empty build is live: redeploy {service} and look at its build log."
            return Problem(True, Reason.BODY_MISMATCH, "page loads no script: it is not the app", hint)
        return None

    def _asset_problems(self, got: Crawl) -> list[Problem]:
        problems = []
        for asset in got.assets:
            found = asset.problem()
            if found is not None:
                is_fatal = asset.wanted.role == "entry"
                hint = (
                    f"index.html and the files do not fit together: redeploy {self.config.service} with a clean build "
                    "(clear the cache), and let index.html not be cached."
                )
                problems.append(Problem(is_fatal, found[0], found[1], hint))
        if got.unset_bases:
            what = f"the API's address is undefined in {got.unset_bases[0].partition(': ')[0]}"
            hint = (
                f"The build of {self.config.service} lacked the variable with the API's address (VITE_…, REACT_APP_…): "
                "set it in its environment, then build and deploy again."
            )
            problems.append(Problem(True, Reason.BODY_MISMATCH, what, hint))
        if got.page.mount_id is None:
            hint = "The app has nowhere to mount, unless it makes its own element: look at index.html."
            problems.append(Problem(False, Reason.BODY_MISMATCH, "page has no element to mount the app in", hint))
        return problems

    def _policy_problems(self, got: Crawl) -> list[Problem]:
        answer = got.answer
        problems = []
        scripts = [(one.url, one.nonce) for one in got.page.references if one.kind == "script"]
        blocked = blocked_scripts(answer.headers, got.page.policies, answer.url, scripts)
        if blocked:
            what = f"Content-Security-Policy blocks {listed([_shown(url, answer.url) for url in blocked])}"
            hint = "White screen: allow these scripts in script-src (telegram.org for telegram-web-app.js)."
            problems.append(Problem(True, Reason.BODY_MISMATCH, what, hint))
        insecure = [one.url for one in got.page.references if _is_insecure(one.url)]
        if insecure:
            what = f"page loads {listed([redact_url(url) for url in insecure])} over http"
            problems.append(
                Problem(False, Reason.BODY_MISMATCH, what, "Browsers block it on an https page: use https.")
            )
        framing = framing_fault(answer.headers)
        if framing is not None:
            hint = "Telegram Web cannot show the app: allow it with frame-ancestors https://web.telegram.org."
            problems.append(Problem(False, Reason.BODY_MISMATCH, f"{framing} keeps Telegram Web out", hint))
        cached = cached_seconds(answer.headers)
        if cached is not None:
            hint = "Serve index.html with Cache-Control: no-cache, else a deploy leaves users with files that are gone."
            problems.append(Problem(False, Reason.STALE, f"index.html may be cached for {duration(cached)}", hint))
        if isinstance(got.made_up, Exchange) and got.made_up.status < 400:
            hint = "A missing file must be 404: keep the SPA rewrite off the assets, else deploys break open apps."
            what = f"a made-up asset is {got.made_up.status}: the SPA rewrite covers the assets"
            problems.append(Problem(False, Reason.BODY_MISMATCH, what, hint))
        return problems


def _is_insecure(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme == "http" and host != "localhost" and not host.startswith("127.")


def _shown(url: str, page_url: str) -> str:
    parts = urlsplit(url)
    return parts.path.rsplit("/", 1)[-1] if parts.netloc == urlsplit(page_url).netloc else address(url)


def _facts(got: Crawl, problems: list[Problem]) -> tuple[Fact, ...]:
    facts = [Fact("page", redact_url(got.answer.url)), *got.answer.facts()]
    facts += [Fact("redirected to", redact_url(url)) for url in got.redirects]
    facts += [Fact("problem", problem.what) for problem in problems[:8]]
    facts += [Fact("mount point", got.page.mount_id), Fact("files", len(got.assets))]
    facts += [
        Fact(asset.wanted.name, f"{asset.status} {asset.content_type} {asset.size_bytes} B #{asset.sha256}")
        for asset in got.assets[:8]
        if asset.status is not None
    ]
    facts += [Fact("undefined address", words) for words in got.unset_bases[:3]]
    facts += [Fact("http address in a script", host) for host in got.insecure_hosts[:3]]
    return tuple(facts)
