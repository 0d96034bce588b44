"""The picture of what depends on what: parents on the left, no line said twice, the root marked."""

from itertools import pairwise
from typing import Any

import httpx
import pytest

from monitor.engine.model import CheckPolicy, Plan
from monitor.web.graph_layout import CHECKS_MAX, NODE_WIDTH, layout_of
from monitor.web.graph_picture import picture_of


def plan_of(parents: dict[str, tuple[str, ...]], service: str = "one") -> Plan:
    return Plan({name: CheckPolicy(name, service, 30, 10, 10, hard_parents=own) for name, own in parents.items()})


def test_parents_stand_left_of_their_children_and_short_cuts_are_left_out() -> None:
    layout = layout_of(plan_of({"c": ("a", "b"), "b": ("a",), "a": ()}))
    assert layout is not None
    xs = {place.name: place.x for place in layout.places}
    assert xs["a"] < xs["b"] < xs["c"]
    assert {(edge.parent, edge.child) for edge in layout.edges} == {("a", "b"), ("b", "c")}
    assert layout.width > xs["c"] + NODE_WIDTH


def test_boxes_never_overlap() -> None:
    layout = layout_of(plan_of({"a": (), **{f"c{number}": ("a",) for number in range(30)}}))
    assert layout is not None
    ys = sorted(place.y for place in layout.places if place.name != "a")
    assert min(after - before for before, after in pairwise(ys)) >= 26


def test_of_many_checks_the_services_are_drawn() -> None:
    checks = {f"s{number}.check": ("s0.check",) if number else () for number in range(CHECKS_MAX)}
    policies = {
        name: CheckPolicy(name, name.split(".")[0], 30, 10, 10, hard_parents=own) for name, own in checks.items()
    }
    extra = {f"s1.more{number}": CheckPolicy(f"s1.more{number}", "s1", 30, 10, 10) for number in range(3)}
    layout = layout_of(Plan(policies | extra))
    assert layout is not None
    assert len(layout.places) == CHECKS_MAX
    picture = picture_of(layout, {"s1.more0": "down"}, {"s1.more0"}, {"s1.more0"})
    root = next(box for box in picture.boxes if box.is_root)
    assert (root.place.name, root.status, root.href) == ("s1", "down", "/checks?service=s1")


def test_services_that_depend_on_each_other_end_nowhere_in_a_circle() -> None:
    policies = {f"a.{number}": CheckPolicy(f"a.{number}", "a", 30, 10, 10) for number in range(CHECKS_MAX)}
    policies["b.1"] = CheckPolicy("b.1", "b", 30, 10, 10, hard_parents=("a.1",))
    policies["a.0"] = CheckPolicy("a.0", "a", 30, 10, 10, hard_parents=("b.1",))
    layout = layout_of(Plan(policies))
    assert layout is not None
    assert [(edge.parent, edge.child) for edge in layout.edges] == [("a", "b")]


def test_with_too_many_services_there_is_no_picture() -> None:
    many = {f"s{number}": CheckPolicy(f"s{number}", f"s{number}", 30, 10, 10) for number in range(CHECKS_MAX + 1)}
    assert layout_of(Plan(many)) is None


def test_nothing_to_watch_is_an_empty_picture() -> None:
    layout = layout_of(Plan({}))
    assert layout is not None
    assert picture_of(layout, {}, (), ()).label == "What depends on what, 0 boxes; nothing is wrong"


async def test_the_root_is_marked_and_its_fault_runs_along_the_lines(client: httpx.AsyncClient) -> None:
    text = (await client.get("/")).text
    assert 'id="box:redis.ping" class="box down root"' in text
    assert text.count('class="wire hot"') == 2
    assert "root of what is wrong: miniapp.page, redis.ping" in text


@pytest.mark.parametrize("count", [1000])
async def test_of_thousands_of_checks_the_page_shows_the_bad_ones_first_and_says_where_the_rest_is(
    world: Any, client: httpx.AsyncClient, count: int
) -> None:
    extra = {f"bulk.n{number}": CheckPolicy(f"bulk.n{number}", "bulk", 30, 10, 10) for number in range(count)}
    world.plan = Plan({**world.plan.checks, **extra})
    world.stack = "Nexus"
    text = (await client.get("/")).text
    assert text.count('<li id="check:') < 300
    assert 'id="check:redis.ping"' in text
    assert "all 1000 of bulk" in text
    page = await client.get("/checks", params={"heading": "bulk", "page": "10"})
    assert page.text.count('<li id="check:bulk') == 100
    assert "page 10 of 10" in page.text
    found = await client.get("/checks", params={"q": "N99", "status": "pending"})
    assert "11 found" in found.text
