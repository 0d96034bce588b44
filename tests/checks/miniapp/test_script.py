"""A script that ends in the middle, and one whose API address is `undefined`, are told by their text."""

from pathlib import Path

import pytest

from checks.miniapp.script import READ_LIMIT_CHARACTERS, is_torn, unset_base

BUILT = sorted((Path(__file__).parents[3] / "demo/nexus/miniapp/dist/assets").glob("*.js"))


@pytest.mark.parametrize(
    "script",
    [
        "",
        "f(1);",
        "a(\"}\");b('{');// (\n/* [ */",
        "x=`a${b({c:`d`})}$e`;",
        "r=/[/(]\\/(/.test(x)?a/b/c:d",
        "return /(/g",
        "f(]",  # it went astray, or it is nonsense: not said
        "a ' b\n)",
        "#!x\n@",
    ],
)
def test_a_whole_script_is_not_torn(script: str) -> None:
    assert not is_torn(script)


@pytest.mark.parametrize(
    "script",
    ["f(1", "a={b:[1,2]", 'x="abc', "x='a\\", "/* licence", "x=`text", "x=`a${b", "x=`a${b}", "function f(){}("],
)
def test_a_script_that_ends_in_the_middle_is_torn(script: str) -> None:
    assert is_torn(script)


def test_a_script_too_long_to_read_is_not_torn() -> None:
    assert not is_torn("(" * (READ_LIMIT_CHARACTERS + 1))


@pytest.mark.parametrize("path", BUILT, ids=lambda path: path.name)
def test_a_real_build_is_whole_and_its_halves_are_torn(path: Path) -> None:
    script = path.read_text(encoding="utf-8")

    assert not is_torn(script)
    assert unset_base(script) is None
    assert is_torn(script[: len(script) // 2])


@pytest.mark.parametrize(
    ("script", "words"),
    [
        # As Vite 7 writes them when VITE_API_URL is not set.
        ("const Tn=void 0;function f(){return fetch(`${Tn}/me`)}", "Tn=void 0 … `${Tn}/me"),
        ('const x=void 0;fetch(x+"/plus")', 'x=void 0 … x+"/plus'),
        ('fetch("undefined/direct")', '"undefined/direct'),
        ('C.create({baseURL:void 0});t.get("/x")', ".create({baseURL:void 0"),
        ("const no={apiUrl:void 0,z:1}", "apiUrl:void 0"),
        ("fetch(`${void 0}/me`)", "`${void 0}/me"),
        ('fetch(void 0+"/me")', 'void 0+"/'),
        ('window.C = {"apiUrl": "undefined", "sdkUrl": ""};', '"apiUrl": "undefined"'),
        ("window.VITE_API_URL = null", "_API_URL = null"),
    ],
)
def test_an_undefined_api_address_is_found(script: str, words: str) -> None:
    assert unset_base(script) == words


@pytest.mark.parametrize(
    "script",
    [
        'window.C = {"apiUrl": "https://api.example.net"};',
        'window.C = {"apiUrl": ""};',  # the app's own origin
        "let a=void 0;a=b;f(`${a}/x`)",
        "const a=void 0;f(a)",
        'throw Error("undefined is not a function")',
        "if(apiUrl===undefined)x()",
        "apiUrl:undefined===x",
    ],
)
def test_other_words_are_no_address(script: str) -> None:
    assert unset_base(script) is None
