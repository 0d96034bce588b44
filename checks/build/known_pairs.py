"""Pairs of versions that install together and break at run time: no resolver can know them. Data, with its sources."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version


@dataclass(frozen=True, slots=True)
class BrokenPair:
    """Two requirements that must not meet."""

    one: str
    one_versions: str
    other: str
    other_versions: str
    what: str
    """What happens, as it is seen."""
    fix: str
    source: str


BROKEN_PAIRS = (
    BrokenPair(
        "openai",
        ">=1.0,<1.55.3",
        "httpx",
        ">=0.28",
        "AsyncOpenAI() raises TypeError: unexpected keyword argument 'proxies'",
        "openai>=1.55.3, or httpx<0.28",
        "github.com/openai/openai-python/issues/1902",
    ),
    BrokenPair(
        "kombu",
        ">=5.7",
        "redis",
        "<6.1",
        "a worker on Redis dies at its start: VersionMismatch: Redis transport requires redis-py versions 6.1.0 or "
        "later",
        "pin kombu to the version that came with your celery, or upgrade redis",
        "kombu/transport/redis.py of the release",
    ),
    BrokenPair(
        "pydantic",
        ">=2.0,<2.7.4",
        "python",
        ">=3.12.4",
        "pydantic.v1 fails at import: ForwardRef._evaluate() missing 'recursive_guard'",
        "pydantic>=2.7.4, or Python 3.11",
        "github.com/pydantic/pydantic/issues/9607",
    ),
)


def broken_pairs(pins: Mapping[str, str]) -> Iterator[BrokenPair]:
    """Yield the pairs among `pins`, canonical name → version; `python` is the interpreter's."""
    for pair in BROKEN_PAIRS:
        if _is_in(pins.get(pair.one), pair.one_versions) and _is_in(pins.get(pair.other), pair.other_versions):
            yield pair


def _is_in(version: str | None, versions: str) -> bool:
    if version is None:
        return False
    try:
        return SpecifierSet(versions).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False
