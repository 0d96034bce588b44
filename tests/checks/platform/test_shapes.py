"""What Render answers, read without trust: odd or missing fields are passed over, never an error."""

from datetime import UTC, datetime
from typing import Any

import pytest

from checks.platform.shapes import Service, deploy_of, event_of, instant, instants_of, lines_of, series_of, service_of

AT = "2026-11-23T12:00:00.5Z"
NOON = datetime(2026, 11, 23, 12, 0, 0, 500_000, UTC)


@pytest.mark.parametrize("odd", [None, 7, "text", [], {}, {"service": None}, {"id": 7}, {"id": "x"}], ids=str)
def test_what_is_none_of_it_is_none(odd: Any) -> None:
    assert service_of(odd) is None
    assert event_of(odd) is None
    assert lines_of(odd) == ()
    assert series_of(odd) == ()
    assert instants_of(odd) == ()


@pytest.mark.parametrize("odd", [None, 7, [], {}, {"deploy": None}, {"deploy": {"status": "live"}}], ids=str)
def test_a_deploy_without_an_id_is_none(odd: Any) -> None:
    assert deploy_of(odd) is None


def test_a_service_with_nothing_but_its_name_is_one() -> None:
    assert service_of({"service": {"id": "srv-1", "name": "nexus-api", "serviceDetails": 7}}) == Service(
        "srv-1", "nexus-api", ""
    )


def test_a_service_that_scales_has_a_range_of_instances() -> None:
    scaling = {"enabled": True, "min": 2, "max": 5}
    body = {"id": "srv-1", "name": "nexus-api", "serviceDetails": {"numInstances": 2, "autoscaling": scaling}}
    service = service_of(body)
    assert service is not None
    assert (service.fewest_instances, service.most_instances) == (2, 5)


@pytest.mark.parametrize(
    "field",
    [{"rootDir": "app"}, {"buildFilter": {"paths": ["app/**"]}}, {"buildFilter": {"ignoredPaths": ["docs/**"]}}],
)
def test_a_service_that_does_not_deploy_every_commit_is_known(field: dict[str, Any]) -> None:
    service = service_of({"id": "srv-1", "name": "nexus-api", **field})
    assert service is not None
    assert service.is_partly_deployed


def test_lines_come_oldest_first_and_those_without_an_instant_are_left_out() -> None:
    logs = [
        {"message": "second", "timestamp": "2026-11-23T12:00:01Z", "labels": [{"name": "resource", "value": "srv-1"}]},
        {"message": "never", "timestamp": "yesterday"},
        {"message": "first", "timestamp": AT},
    ]
    assert [(line.message, line.resource) for line in lines_of({"logs": logs})] == [("first", ""), ("second", "srv-1")]


def test_points_that_are_no_numbers_are_left_out() -> None:
    values = [{"timestamp": AT, "value": 1}, {"timestamp": AT, "value": None}, {"timestamp": None, "value": 2}]
    labels = [{"field": "resource", "value": "srv-1"}]
    (series,) = series_of([{"labels": labels, "values": values}])
    assert (series.resource, series.instance, series.points) == ("srv-1", "", ((NOON, 1.0),))


def test_instants_have_their_zone() -> None:
    assert instant(AT) == NOON
    assert instant("2026-11-23T12:00:00") is None
    assert instant("soon") is None
