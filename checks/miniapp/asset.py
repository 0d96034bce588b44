"""One file that the Mini App loads: how it was fetched, and what is wrong with it."""

import base64
import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from checks.http import Exchange
from checks.miniapp.script import is_torn
from checks.result import Reason, Verdict

ASSET_LIMIT_BYTES = 8_000_000

SCRIPT_TYPES = frozenset(
    {
        "text/javascript",
        "application/javascript",
        "application/x-javascript",
        "text/ecmascript",
        "application/ecmascript",
    }
)
_ROLE_WORDS = {
    "entry": "entry script",
    "style": "style",
    "preload": "preload",
    "lazy": "lazy chunk",
    "script": "script",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch."""

    role: str
    """`entry` (a script of the page and its static imports), `script` (another one), `style`, `preload` or `lazy`."""
    url: str
    integrity: str = ""

    @property
    def name(self) -> str:
        """Return the file's name, for people."""
        return urlsplit(self.url).path.rsplit("/", 1)[-1] or self.url

    @property
    def is_style(self) -> bool:
        """Return whether it is a style sheet."""
        return urlsplit(self.url).path.endswith(".css") or self.role == "style"


@dataclass(frozen=True, slots=True)
class Asset:
    """A fetched file, without its body."""

    wanted: Wanted
    status: int | None
    """None when it could not be fetched."""
    content_type: str = ""
    size_bytes: int = 0
    sha256: str = ""
    looks_html: bool = False
    is_intact: bool = True
    """The body matches the integrity attribute, or there is none."""
    is_torn: bool = False
    """A script that ends in the middle."""
    fault: str = ""
    """Why it could not be fetched."""

    def problem(self) -> tuple[Reason, str] | None:
        """Return what is wrong with the file, None when it is good."""
        what = f"{_ROLE_WORDS[self.wanted.role]} {self.wanted.name}"
        if self.status is None:
            return Reason.UNREACHABLE, f"{what}: {self.fault}"
        if self.status != 200:
            return Reason.HTTP_STATUS, f"{what} is {self.status}"
        if self.looks_html:
            return Reason.BODY_MISMATCH, f"{what} is an HTML page"
        if self.size_bytes == 0:
            return Reason.BODY_MISMATCH, f"{what} is empty"
        types = frozenset({"text/css"}) if self.wanted.is_style else SCRIPT_TYPES
        if self.content_type not in types:
            return Reason.BODY_MISMATCH, f"{what} is served as {self.content_type or 'no type'}"
        if not self.is_intact:
            return Reason.BODY_MISMATCH, f"{what} does not match its integrity hash"
        if self.is_torn:
            return Reason.BODY_MISMATCH, f"{what} ends in the middle"
        return None


def asset_of(wanted: Wanted, got: Exchange | Verdict) -> Asset:
    """Return the asset of what fetching gave."""
    if isinstance(got, Verdict):
        return Asset(wanted, None, fault=got.summary)
    start = got.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return Asset(
        wanted,
        status=got.status,
        content_type=got.content_type,
        size_bytes=len(got.body.strip()),
        sha256=hashlib.sha256(got.body).hexdigest()[:12],
        looks_html=got.content_type == "text/html" or start.startswith(b"<"),
        is_intact=got.is_cut or _matches(got.body, wanted.integrity),
        is_torn=got.status == 200 and got.content_type in SCRIPT_TYPES and not got.is_cut and is_torn(got.text),
    )


def _matches(body: bytes, integrity: str) -> bool:
    """Return whether `body` has one of the hashes of the strongest kind named (W3C SRI, 3.3.4)."""
    hashes = [item.split("?")[0].partition("-") for item in integrity.split()]
    for kind in ("sha512", "sha384", "sha256"):
        values = [value for name, _, value in hashes if name == kind]
        if values:
            return base64.b64encode(hashlib.new(kind, body).digest()).decode() in values
    return True
