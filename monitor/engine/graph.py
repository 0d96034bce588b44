"""Who depends on whom: ancestors nearest first, descendants, and cycles with their path."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Graph:
    """The closure of the edges child → parent."""

    ancestors: Mapping[str, tuple[str, ...]]
    """Nearest first, then as declared."""
    descendants: Mapping[str, tuple[str, ...]]


def find_cycle(parents: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
    """Return one cycle as a closed path (`a, b, a`), or None. Names that are not keys have no parents."""
    done: set[str] = set()
    for start in parents:
        path: list[str] = []
        on_path: set[str] = set()
        todo: list[tuple[str, bool]] = [(start, False)]
        while todo:
            name, is_left = todo.pop()
            if is_left:
                path.pop()
                on_path.discard(name)
                done.add(name)
            elif name in on_path:
                return (*path[path.index(name) :], name)
            elif name not in done:
                path.append(name)
                on_path.add(name)
                todo.append((name, True))
                todo.extend((parent, False) for parent in reversed(parents.get(name, ())))
    return None


def build_graph(parents: Mapping[str, Sequence[str]]) -> Graph:
    """Return the closure. Unknown names and every edge on a cycle count as no edge: more noise, never less."""
    known = {child: tuple(name for name in names if name in parents) for child, names in parents.items()}
    if find_cycle(known) is not None:
        known = {
            child: tuple(name for name in names if child not in (name, *_reachable(name, known)))
            for child, names in known.items()
        }
    ancestors = {child: _reachable(child, known) for child in known}
    descendants: dict[str, list[str]] = {name: [] for name in known}
    for child, names in ancestors.items():
        for name in names:
            descendants[name].append(child)
    return Graph(ancestors, {name: tuple(children) for name, children in descendants.items()})


def _reachable(start: str, parents: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    todo = deque(parents[start])
    while todo:
        name = todo.popleft()
        if name not in seen:
            seen[name] = None
            todo.extend(parents[name])
    return tuple(seen)
