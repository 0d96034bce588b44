"""Soft parents: one that is down is named as a possible explanation, and holds nothing back."""

from monitor.engine.explain import may_explain
from monitor.engine.model import AppendTimeline, Severity
from tests.monitor.engine.story import Story, policy

REDIS, CACHE, API = "redis.ping", "cache.hits", "api.health"


def soft_story() -> Story:
    story = Story(policy(REDIS), policy(CACHE), policy(API, soft_parents=(CACHE, REDIS, "gone.check")))
    story.ok(REDIS, CACHE, API)
    story.wait(30)
    return story


def explanations(story: Story, incident_id: int) -> tuple[str, ...]:
    return may_explain(story.plan, story.state.checks, story.incidents[incident_id])


def explained(story: Story) -> list[tuple[int, str]]:
    rows = [effect for effect in story.effects if isinstance(effect, AppendTimeline) and effect.kind == "explained"]
    return [(row.incident_id, row.text) for row in rows]


def test_a_soft_parent_that_is_down_is_named_when_the_incident_opens() -> None:
    story = soft_story()
    story.drop(REDIS)
    story.drop(API)
    assert story.live_roots() == [(REDIS, Severity.PAGE), (API, Severity.PAGE)]
    assert (explanations(story, 1), explanations(story, 2)) == ((), (REDIS,))
    assert explained(story) == [(2, "may be explained by redis.ping")]


def test_one_that_goes_down_later_is_named_and_the_card_drawn_again() -> None:
    story = soft_story()
    story.drop(API)
    revision = story.incidents[1].revision
    story.drop(REDIS)
    assert (explanations(story, 1), story.incidents[1].revision) == ((REDIS,), revision + 1)
    story.drop(CACHE)
    assert explained(story) == [
        (1, "may be explained by redis.ping"),
        (1, "may be explained by cache.hits, redis.ping"),
    ]


def test_one_that_is_up_again_explains_no_longer() -> None:
    story = soft_story()
    story.drop(REDIS)
    story.drop(API)
    revision = story.incidents[2].revision
    story.recover(REDIS)
    assert (explanations(story, 2), story.incidents[2].revision) == ((), revision + 1)
    assert len(explained(story)) == 1


def test_one_that_is_down_again_is_named_when_the_incident_reopens() -> None:
    story = soft_story()
    story.drop(API)
    story.recover(API)
    story.drop(CACHE)
    story.drop(API)
    assert explained(story) == [(1, "may be explained by cache.hits")]


def test_a_member_of_the_incident_is_no_explanation_beside_it() -> None:
    story = Story(policy(REDIS), policy(CACHE, REDIS), policy(API, soft_parents=(CACHE,)))
    story.ok(REDIS, CACHE, API)
    story.wait(30)
    story.drop(REDIS, CACHE, API)
    assert {one.root: explanations(story, one.id) for one in story.incidents.values()} == {REDIS: (), API: (CACHE,)}
    own = Story(policy(REDIS, soft_parents=(CACHE,)), policy(CACHE, REDIS))
    own.ok(REDIS, CACHE)
    own.wait(30)
    own.drop(REDIS, CACHE)
    assert {one.root: explanations(own, one.id) for one in own.incidents.values()} == {REDIS: ()}


def test_two_that_explain_each_other_are_two_incidents() -> None:
    story = Story(policy(REDIS, soft_parents=(CACHE,)), policy(CACHE, soft_parents=(REDIS,)))
    story.ok(REDIS, CACHE)
    story.wait(30)
    story.drop(REDIS, CACHE)
    assert (explanations(story, 1), explanations(story, 2)) == ((CACHE,), (REDIS,))


def test_a_check_that_left_the_plan_explains_nothing() -> None:
    story = soft_story()
    story.drop(REDIS)
    story.drop(API)
    plan = Story(policy(REDIS)).plan
    assert may_explain(plan, story.state.checks, story.incidents[2]) == ()
