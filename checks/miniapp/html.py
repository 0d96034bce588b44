"""Reads what an HTML page loads and where it mounts: scripts, styles, preloads, empty elements, policies."""

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin

_MOUNT_IDS = frozenset({"root", "app", "__next", "__nuxt", "svelte"})


@dataclass(frozen=True, slots=True)
class Reference:
    """One file that the page names."""

    kind: str
    """`script`, `style` or `preload`."""
    url: str
    """Absolute."""
    integrity: str = ""
    nonce: str = ""
    is_module: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What a page holds."""

    references: tuple[Reference, ...] = ()
    mount_id: str | None = None
    """The id of the element that the app fills: a well-known one, or else the first empty `div` with an id."""
    policies: tuple[str, ...] = ()
    """Content-Security-Policy of meta elements."""
    inline_scripts: tuple[str, ...] = ()


def page_of(text: str, url: str) -> Page:
    """Return what the HTML `text`, served at `url`, holds."""
    reader = _Reader(url)
    reader.feed(text)
    reader.close()
    known = next((found for found in reader.ids if found in _MOUNT_IDS), None)
    empty = reader.empty_ids[0] if reader.empty_ids else None
    inline = tuple(script for script in reader.inline if script.strip())
    return Page(tuple(reader.references), known or empty, tuple(reader.policies), inline)


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.references: list[Reference] = []
        self.ids: list[str] = []
        self.empty_ids: list[str] = []
        self.policies: list[str] = []
        self.inline: list[str] = []
        self._base = url
        self._open_id: str | None = None
        self._is_in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._open_id = None
        if tag == "base" and given.get("href"):
            self._base = urljoin(self._base, given["href"])
        elif tag == "script":
            self._script(given)
        elif tag == "link":
            self._link(given)
        elif tag == "meta" and given.get("http-equiv", "").lower() == "content-security-policy":
            self.policies.append(given.get("content", ""))
        if tag in ("div", "main", "section") and given.get("id"):
            self.ids.append(given["id"])
            self._open_id = given["id"] if tag == "div" else None

    def handle_data(self, data: str) -> None:
        if self._is_in_script:
            self.inline[-1] += data
        elif data.strip():
            self._open_id = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._is_in_script = False
        if tag == "div" and self._open_id is not None:
            self.empty_ids.append(self._open_id)
        self._open_id = None

    def _script(self, given: dict[str, str]) -> None:
        kind = given.get("type", "").lower()
        if kind not in ("", "module", "text/javascript", "application/javascript"):
            return
        if given.get("src"):
            self._add("script", given["src"], given, is_module=kind == "module")
        else:
            self.inline.append("")
            self._is_in_script = True

    def _link(self, given: dict[str, str]) -> None:
        kinds = given.get("rel", "").lower().split()
        if not given.get("href"):
            return
        if "stylesheet" in kinds:
            self._add("style", given["href"], given)
        elif "modulepreload" in kinds or ("preload" in kinds and given.get("as") == "script"):
            self._add("preload", given["href"], given)

    def _add(self, kind: str, target: str, given: dict[str, str], *, is_module: bool = False) -> None:
        url = urljoin(self._base, target.strip())
        self.references.append(Reference(kind, url, given.get("integrity", ""), given.get("nonce", ""), is_module))
