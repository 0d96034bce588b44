"""What the requirements of a repository come to: judged as a table, and resolved by the real resolver."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from checks.build.plans import Install, default_python, installs, next_python
from checks.build.render_yaml import NotYamlError
from checks.build.resolver import Resolution, has_resolver, pins_of, resolve
from checks.build.wheels import BuildWheels, BuildWheelsConfig, Built, WheelsSeen
from checks.result import Outcome, Reason, Verdict
from tests.fakes import io_for

NOW = datetime(2026, 3, 1, tzinfo=UTC)
INSTALL = Install(("nexus-api",), "requirements.txt", "a==1\nb==2\n", "3.12.8", is_pinned=True)
PINS = {"a": "1", "b": "2"}
FINE = Resolution(PINS)
CONFLICT = "Because a==1 depends on b<2 and you require b==2, your requirements are unsatisfiable."


def judged(*built: Built, problem: str = "") -> Verdict:
    return BuildWheels(BuildWheelsConfig()).judge(WheelsSeen(built, problem), NOW)


def findings(verdict: Verdict) -> list[str]:
    return [str(fact.value) for fact in verdict.evidence.facts if "[" in str(fact.value)]


def test_a_list_that_resolves_from_wheels_is_fine() -> None:
    verdict = judged(Built(INSTALL, FINE, PINS))
    assert (verdict.outcome, verdict.summary) == (Outcome.OK, "every pin has a wheel: requirements.txt on 3.12.8")
    assert [(fact.name, fact.value) for fact in verdict.evidence.facts] == [
        ("requirements.txt on 3.12.8", "2 packages, all from wheels")
    ]


@pytest.mark.parametrize(
    ("built", "outcome", "finding"),
    [
        pytest.param(
            Built(INSTALL, Resolution({}, CONFLICT), PINS),
            Outcome.FAILED,
            f"error: no solution: {CONFLICT} [no-solution]",
            id="both sides of a conflict are named",
        ),
        pytest.param(
            Built(INSTALL, Resolution({}, "a==1 has no wheels"), PINS, without_wheel=("a==1", "c==3")),
            Outcome.FAILED,
            "error: no wheel for Python 3.12.8: a==1, c==3 [no-wheel]",
            id="no wheel",
        ),
        pytest.param(
            Built(
                Install((), "requirements.txt", "", "3.14.3", is_pinned=False),
                Resolution({}, "a==1 has no wheels"),
                PINS,
                without_wheel=("a==1",),
            ),
            Outcome.FAILED,
            "error: no wheel for Python 3.14.3 (the default: none is pinned): a==1 [no-wheel]",
            id="no wheel for the default",
        ),
        pytest.param(
            Built(INSTALL, FINE, PINS, next_python="3.13", without_next_wheel=("b==2",)),
            Outcome.DEGRADED,
            "warning: no wheel for Python 3.13: b==2 [next-python]",
            id="no wheel for the next Python",
        ),
        pytest.param(
            Built(INSTALL, Resolution(PINS, yanked=("a==1 (broken)",)), PINS),
            Outcome.DEGRADED,
            "warning: a==1 (broken) was withdrawn by its authors [yanked]",
            id="yanked",
        ),
        pytest.param(
            Built(INSTALL, FINE, {"openai": "1.55.0", "httpx": "0.28.1"}),
            Outcome.DEGRADED,
            "warning: openai==1.55.0 with httpx 0.28.1: AsyncOpenAI() raises TypeError: unexpected keyword argument "
            "'proxies' [broken-pair]",
            id="openai and httpx",
        ),
        pytest.param(
            Built(INSTALL, FINE, {"kombu": "5.7.0", "redis": "5.2.1"}),
            Outcome.DEGRADED,
            "warning: kombu==5.7.0 with redis 5.2.1: a worker on Redis dies at its start: VersionMismatch: Redis "
            "transport requires redis-py versions 6.1.0 or later [broken-pair]",
            id="kombu and redis",
        ),
        pytest.param(
            Built(INSTALL, FINE, {"pydantic": "2.5.3", "kombu": "not-a-version", "redis": "5.2.1"}),
            Outcome.DEGRADED,
            "warning: pydantic==2.5.3 with python 3.12.8: pydantic.v1 fails at import: ForwardRef._evaluate() missing "
            "'recursive_guard' [broken-pair]",
            id="pydantic and Python",
        ),
    ],
)
def test_each_finding_says_what_and_where(built: Built, outcome: Outcome, finding: str) -> None:
    verdict = judged(built)
    assert (verdict.outcome, findings(verdict)) == (outcome, [finding])


@pytest.mark.parametrize(
    ("verdict", "reason", "summary"),
    [
        (judged(), Reason.NOT_CONFIGURED, "no requirements found"),
        (judged(problem="uv is not installed: nothing was resolved"), Reason.NOT_CONFIGURED, "uv is not installed"),
        (
            judged(Built(INSTALL, Resolution({}, "Failed to fetch", is_unreachable=True), PINS)),
            Reason.UNREACHABLE,
            "no package registry could be reached: requirements.txt on 3.12.8 not resolved",
        ),
    ],
)
def test_what_could_not_be_asked_is_unknown(verdict: Verdict, reason: Reason, summary: str) -> None:
    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, reason)
    assert verdict.summary.startswith(summary)
    assert verdict.hint


BLUEPRINT = """\
services:
  - {type: web, name: api, runtime: python, rootDir: api, buildCommand: pip install -r requirements.txt,
     envVars: [{key: PYTHON_VERSION, value: "3.12.8"}]}
  - {type: worker, name: worker, runtime: python, buildCommand: pip install --requirement=api/requirements.txt,
     envVars: [{key: PYTHON_VERSION, value: "3.12.8"}]}
  - {type: worker, name: beat, runtime: python, buildCommand: pip install -r api/requirements.txt -r absent.txt}
  - {type: web, name: app, runtime: static}
"""


def test_a_blueprint_says_what_is_installed_where(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api/requirements.txt").write_text("a==1\n")
    (tmp_path / "render.yaml").write_text(BLUEPRINT)
    assert installs(tmp_path, date(2025, 7, 1)) == [
        Install(("api", "worker"), "api/requirements.txt", "a==1\n", "3.12.8", is_pinned=True),
        Install(("beat",), "api/requirements.txt", "a==1\n", "3.13.4", is_pinned=False),
    ]
    (tmp_path / ".python-version").write_text("3.11.9\n")
    assert [install.python for install in installs(tmp_path)] == ["3.12.8", "3.11.9"]


def test_without_a_blueprint_what_lies_at_the_root_counts(tmp_path: Path) -> None:
    assert installs(tmp_path) == []
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["a>=1", "b"]\n')
    assert installs(tmp_path) == [Install((), "pyproject.toml", "a>=1\nb", "3.14.3", is_pinned=False)]
    (tmp_path / "requirements.txt").write_text("c==1\n")
    assert [install.file for install in installs(tmp_path)] == ["requirements.txt"]
    (tmp_path / "requirements.txt").unlink()
    (tmp_path / "pyproject.toml").write_text("[")
    with pytest.raises(NotYamlError, match=r"pyproject\.toml"):
        installs(tmp_path)


@pytest.mark.parametrize(
    ("created_on", "python"),
    [
        (None, "3.14.3"),
        (date(2026, 2, 11), "3.14.3"),
        (date(2026, 2, 10), "3.13.4"),
        (date(2024, 4, 4), "3.11.9"),
        (date(2020, 1, 1), "3.7.10"),
    ],
)
def test_the_default_python_goes_by_the_day_a_service_was_created(created_on: date | None, python: str) -> None:
    assert default_python(created_on) == python


def test_after_the_newest_python_there_is_none() -> None:
    assert [next_python(python) for python in ("3.12.8", "3.13", "3.14.3")] == ["3.13", "3.14", None]


def test_pins_are_read_with_extras_and_markers_and_hashes() -> None:
    text = 'Uvicorn[standard]==0.32.0 ; python_version > "3" \\\n    --hash=sha256:x\n# c==1\nfoo_Bar==1.0\nbaz>=2\n'
    assert pins_of(text) == {"uvicorn": "0.32.0", "foo-bar": "1.0"}


async def resolved(requirements: str, python: str) -> Resolution:
    assert has_resolver()
    answer = await resolve(requirements, python, Path())
    if answer.is_unreachable:
        pytest.skip(f"no package registry can be reached: {answer.problem[:200]}")
    return answer


@pytest.mark.real
async def test_the_new_list_of_the_story_does_not_resolve_and_both_sides_are_named() -> None:
    answer = await resolved("aiogram==3.13.1\naiohttp==3.11.10\n", "3.12.8")
    assert "aiogram==3.13.1 depends on aiohttp>=3.9.0,<3.11" in answer.problem
    assert "you require aiohttp==3.11.10" in answer.problem


@pytest.mark.real
@pytest.mark.parametrize(
    ("python", "without_wheel"),
    [("3.11.11", ()), ("3.12.8", ()), ("3.13.4", ("pydantic-core==2.14.6",)), ("3.14.3", ("pydantic-core==2.14.6",))],
)
async def test_the_old_pydantic_has_wheels_up_to_python_3_12(python: str, without_wheel: tuple[str, ...]) -> None:
    assert (await resolved("pydantic==2.5.3\n", python)).without_wheel == without_wheel


@pytest.mark.real
async def test_celery_without_a_pin_of_kombu_is_known_to_break(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("celery==5.4.0\nredis==5.2.1\n")
    (tmp_path / ".python-version").write_text("3.14\n")
    check = BuildWheels(BuildWheelsConfig(path=tmp_path))
    verdict = check.judge(await check.measure(io_for()), NOW)
    if verdict.reason is Reason.UNREACHABLE:
        pytest.skip(verdict.summary)
    assert verdict.outcome is Outcome.DEGRADED
    assert "a worker on Redis dies at its start: VersionMismatch" in verdict.summary
