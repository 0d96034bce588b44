"""Finds the files that a built script loads: static imports, lazy `import("./x.js")` and Vite's dependency lists."""

import re
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

_STATIC = re.compile(
    r"""(?:^|[;}\s])(?:import|export)\s*(?:[\w*{}$,\s]*?from\s*)?"""
    r"""["']((?:\.{1,2}/|/)[^"'\s]+\.m?js(?:\?[^"'\s]*)?)["']"""
)
_LAZY = re.compile(r"""\bimport\(\s*(?:/\*.*?\*/\s*)?["'`]((?:\.{1,2}/|/)[^"'`$\s]+\.m?js(?:\?[^"'`\s]*)?)["'`]\s*\)""")
_MAP = re.compile(r"__vite__mapDeps\b[^\[\]]{0,120}?=\s*\(?[^\[\]]{0,60}?\[([^\[\]]*)\]")
_TEXT = re.compile(r"""["']([^"']+\.(?:m?js|css)(?:\?[^"']*)?)["']""")
_INSECURE = re.compile(r"""["'`]http://([A-Za-z0-9.-]+)(?::\d+)?(?=[/"'`?])""")

_HARMLESS_HOSTS = re.compile(r"(^|\.)(w3\.org|localhost|reactjs\.org|react\.dev|fb\.me)$|^127\.|^0\.0\.0\.0$")
"""Names in namespaces and messages, and loopback: no request goes there from a user's phone."""


def static_imports(script: str, url: str) -> list[str]:
    """Return the absolute URLs that `script`, served at `url`, imports before it runs."""
    return _unique(urljoin(url, target) for target in _STATIC.findall(script))


def lazy_imports(script: str, url: str) -> list[str]:
    """Return the absolute URLs that `script` loads later: dynamic imports and what Vite preloads with them."""
    found = [urljoin(url, target) for target in _LAZY.findall(script)]
    for names in _MAP.findall(script):
        found += [_mapped(name, url) for name in _TEXT.findall(names)]
    return _unique(found)


def insecure_hosts(script: str) -> list[str]:
    """Return hosts of `http://` addresses in `script`: a browser blocks calls to them from an https page."""
    return _unique(host for host in _INSECURE.findall(script) if not _HARMLESS_HOSTS.search(host.lower()))


def _mapped(name: str, url: str) -> str:
    """Return the URL of an entry of Vite's list: relative to the script, or to the base that both share."""
    if name.startswith((".", "/")):
        return urljoin(url, name)
    folder = "/" + name.split("/", 1)[0] + "/"
    base, shared, _ = urlsplit(url).path.partition(folder)
    return urljoin(url, (base if shared else "") + "/" + name)


def _unique(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))
