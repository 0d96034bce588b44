"""Loads a Mini App the way a browser begins to: the page, what it names, and what those scripts name in turn."""

from asyncio import Semaphore, TaskGroup, timeout
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from checks.base import IO
from checks.failures import attempt
from checks.http import Exchange, attempt_exchange, exchange
from checks.miniapp.asset import ASSET_LIMIT_BYTES, Asset, Wanted, asset_of
from checks.miniapp.chunks import insecure_hosts, lazy_imports, static_imports
from checks.miniapp.html import Page, page_of
from checks.miniapp.script import unset_base
from checks.result import Verdict

CONCURRENT = 8
ASSETS_LIMIT = 200
REDIRECTS_LIMIT = 5
BUDGET_SHARE = 0.9
"""Assets that have not come in this share of the look's time are named as missing instead of failing the whole look."""
MADE_UP_NAME = "nexus-monitor-probe.js"
"""A file that no build makes."""


@dataclass(frozen=True, slots=True)
class Crawl:
    """What loading the app gave."""

    answer: Exchange
    """The page, after redirects."""
    redirects: tuple[str, ...]
    page: Page
    assets: tuple[Asset, ...]
    made_up: Exchange | Verdict | None
    """The answer to a file that does not exist beside the entry script; None when the page names no script."""
    insecure_hosts: tuple[str, ...]
    """Hosts of http:// addresses in the scripts."""
    unset_bases: tuple[str, ...]
    """Where a script would call an address `undefined`: `file: words`."""
    loaded_seconds: float
    """From the start to the last asset."""


async def crawl(io: IO, url: str) -> Crawl:
    """Load the page at `url` and its assets. Raises the network errors of the page itself."""
    started = io.monotonic()
    answer, redirects = await _page(io, url)
    page = page_of(answer.text, answer.url) if answer.status == 200 else Page()
    loading = _Loading(io, started + BUDGET_SHARE * io.timeout_seconds)
    first = wanted_of(page, answer.url)
    for script in page.inline_scripts:
        first += [Wanted("entry", found) for found in static_imports(script, answer.url)]
        first += [Wanted("lazy", found) for found in lazy_imports(script, answer.url)]
        loading.read("index.html", script)
    first.sort(key=lambda one: one.role != "entry")  # a file that is also preloaded counts as entry
    made_up_url = _made_up_url(page, first)
    made_up: Exchange | Verdict | None = None
    async with TaskGroup() as group:
        probe = group.create_task(loading.get(made_up_url, 4096), name="made-up asset") if made_up_url else None
        group.create_task(loading.load(first), name="assets")
    if probe is not None:
        made_up = probe.result()
    return Crawl(
        answer,
        tuple(redirects),
        page,
        loading.found(),
        made_up,
        tuple(dict.fromkeys(loading.insecure)),
        tuple(loading.unset),
        io.monotonic() - started,
    )


def wanted_of(page: Page, url: str) -> list[Wanted]:
    """Return the files of the page that are its own: those of its origin, and modules from anywhere (a CDN)."""
    wanted = []
    for reference in page.references:
        is_own = urlsplit(reference.url).netloc == urlsplit(url).netloc
        if is_own or reference.is_module or reference.kind == "preload":
            role = "entry" if reference.kind == "script" else reference.kind
            wanted.append(Wanted(role, reference.url, reference.integrity))
    return wanted


async def _page(io: IO, url: str) -> tuple[Exchange, list[str]]:
    redirects: list[str] = []
    answer = await exchange(io, "GET", url, headers={"accept": "text/html"}, body_limit_bytes=1_000_000)
    while answer.location is not None and len(redirects) < REDIRECTS_LIMIT:
        redirects.append(answer.location)
        answer = await exchange(io, "GET", answer.location, headers={"accept": "text/html"}, body_limit_bytes=1_000_000)
    return answer, redirects


def _made_up_url(page: Page, wanted: Iterable[Wanted]) -> str | None:
    """Return the address of a file that no build makes, beside the built entry script."""
    scripts = [one.url for one in wanted if one.role == "entry"]
    modules = [one.url for one in page.references if one.is_module]
    beside = next(iter((*modules, *reversed(scripts))), None)
    return None if beside is None else urljoin(beside, MADE_UP_NAME)


class _Loading:
    """The files of one crawl, each fetched once, a few at a time."""

    def __init__(self, io: IO, deadline: float) -> None:
        self.assets: dict[str, Asset] = {}
        self.insecure: list[str] = []
        self.unset: list[str] = []
        self._imports: dict[str, list[str]] = {}
        self._io = io
        self._deadline = deadline
        self._slots = Semaphore(CONCURRENT)

    async def load(self, wanted: Iterable[Wanted]) -> None:
        """Fetch these files and, level by level, what they name."""
        level = list(wanted)
        while level:
            new: dict[str, Wanted] = {}
            for one in level:
                if one.url not in self.assets and len(self.assets) + len(new) < ASSETS_LIMIT:
                    new.setdefault(one.url, one)
            async with TaskGroup() as group:
                tasks = [group.create_task(self._load_one(one), name=f"asset {one.name}") for one in new.values()]
            level = [named for task in tasks for named in task.result()]

    def found(self) -> tuple[Asset, ...]:
        """Return the files in the order met; what an entry script imports statically counts as entry too."""
        waiting = [url for url, asset in self.assets.items() if asset.wanted.role == "entry"]
        while waiting:
            for url in self._imports.get(waiting.pop(), ()):
                asset = self.assets.get(url)
                if asset is not None and asset.wanted.role != "entry":
                    self.assets[url] = replace(asset, wanted=replace(asset.wanted, role="entry"))
                    waiting.append(url)
        return tuple(self.assets.values())

    def read(self, name: str, script: str) -> None:
        """Note which addresses a script would call that it should not."""
        self.insecure += insecure_hosts(script)
        words = unset_base(script)
        if words is not None:
            self.unset.append(f"{name}: {words}")

    async def get(self, url: str, limit_bytes: int = ASSET_LIMIT_BYTES) -> Exchange | Verdict:
        """Fetch one file, within what is left of the budget."""
        left = max(0.01, self._deadline - self._io.monotonic())

        async def bounded() -> Exchange | Verdict:
            async with self._slots, timeout(left):
                return await attempt_exchange(self._io, "GET", url, body_limit_bytes=limit_bytes)

        return await attempt(bounded(), timeout_seconds=left)

    async def _load_one(self, wanted: Wanted) -> list[Wanted]:
        got = await self.get(wanted.url)
        self.assets[wanted.url] = asset = asset_of(wanted, got)
        if isinstance(got, Verdict) or wanted.is_style or asset.problem() is not None:
            return []
        self.read(wanted.name, got.text)
        static = self._imports[wanted.url] = static_imports(got.text, wanted.url)
        return [Wanted("lazy", url) for url in (*static, *lazy_imports(got.text, wanted.url))]
