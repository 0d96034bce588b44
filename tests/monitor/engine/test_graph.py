import pytest

from monitor.engine.graph import build_graph, find_cycle


def test_ancestors_come_nearest_first_and_once() -> None:
    graph = build_graph({"top": (), "a": ("top",), "b": ("top",), "low": ("a", "b")})
    assert graph.ancestors == {"top": (), "a": ("top",), "b": ("top",), "low": ("a", "b", "top")}
    assert graph.descendants == {"top": ("a", "b", "low"), "a": ("low",), "b": ("low",), "low": ()}


@pytest.mark.parametrize(
    ("parents", "cycle"),
    [
        pytest.param({"a": ("b",), "b": ()}, None, id="none"),
        pytest.param({"a": ("b", "c"), "b": ("c",), "c": ()}, None, id="a diamond is none"),
        pytest.param({"a": ("a",)}, ("a", "a"), id="itself"),
        pytest.param({"x": ("a",), "a": ("b",), "b": ("a",)}, ("a", "b", "a"), id="two, reached from outside"),
        pytest.param({"a": ("nobody",)}, None, id="an unknown name ends the path"),
    ],
)
def test_a_cycle_is_found_with_its_path(parents: dict[str, tuple[str, ...]], cycle: tuple[str, ...] | None) -> None:
    assert find_cycle(parents) == cycle


def test_edges_of_a_cycle_and_to_unknown_names_count_as_none() -> None:
    graph = build_graph({"a": ("b", "top"), "b": ("a",), "top": ("nobody",), "low": ("a",)})
    assert graph.ancestors == {"a": ("top",), "b": (), "top": (), "low": ("a", "top")}


def test_a_chain_of_ten_thousand_does_not_exhaust_the_stack() -> None:
    parents = {f"c{i}": (f"c{i + 1}",) if i < 10_000 else () for i in range(10_001)}
    assert find_cycle(parents) is None
