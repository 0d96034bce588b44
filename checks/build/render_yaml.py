"""Reads a render.yaml into plain values that know the line they stand on."""

from dataclasses import dataclass, field
from typing import Any

import yaml


class NotYamlError(ValueError):
    """The file cannot be read as YAML."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the file."""

    value: Any
    """As YAML reads it: a mapping and a list hold nodes."""
    line: int
    is_quoted: bool = False
    keys: dict[str, int] = field(default_factory=dict)
    """Of a mapping: key → the line of the key."""

    def get(self, name: str) -> "Node | None":
        """Return a mapping's value; None where there is none."""
        return self.value.get(name) if isinstance(self.value, dict) else None

    def text(self, name: str) -> str:
        """Return a mapping's value as text, empty where there is none."""
        node = self.get(name)
        return "" if node is None or node.value is None or isinstance(node.value, dict | list) else str(node.value)

    def items(self, name: str) -> "list[Node]":
        """Return the mappings of a list that a mapping holds; what is no mapping is left out."""
        node = self.get(name)
        listed = node.value if node is not None and isinstance(node.value, list) else []
        return [item for item in listed if isinstance(item.value, dict)]

    def line_of(self, name: str) -> int:
        """Return the line of a key, or of the mapping where the key is missing."""
        return self.keys.get(name, self.line)


def read(text: str) -> Node:
    """Return the file's root. Raises NotYamlError."""
    loader = yaml.SafeLoader(text)
    try:
        composed = loader.get_single_node()
        return Node({}, 1) if composed is None else _node(loader, composed)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYamlError(mark.line + 1 if mark else 0, error.problem or "is no YAML") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotYamlError(0, str(error) or type(error).__name__) from None
    finally:
        loader.dispose()


def _node(loader: yaml.SafeLoader, composed: yaml.Node) -> Node:
    line = composed.start_mark.line + 1
    if isinstance(composed, yaml.MappingNode):
        keys, value = {}, {}
        for key, item in composed.value:
            name = str(key.value)
            keys[name] = key.start_mark.line + 1
            value[name] = _node(loader, item)
        return Node(value, line, keys=keys)
    if isinstance(composed, yaml.SequenceNode):
        return Node([_node(loader, item) for item in composed.value], line)
    quoted = getattr(composed, "style", None) in {"'", '"', "|", ">"}
    return Node(loader.construct_object(composed, deep=True), line, quoted)
