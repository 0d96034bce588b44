"""Texts and entities: UTF-16 offsets, bounds, nesting, HTML, keyboards."""

import pytest

from demo.botapi.entities import formatted, units
from demo.botapi.errors import ApiError
from demo.botapi.html_text import parse_html
from demo.botapi.keyboards import inline_keyboard


def entity(kind, offset, length, **more):
    return {"type": kind, "offset": offset, "length": length} | more


def test_a_sign_beyond_the_basic_plane_counts_two_units():
    assert units("a🔴é") == 4


@pytest.mark.parametrize(
    ("text", "given", "words"),
    [
        ("", [], "message text is empty"),
        (" \n ", [], "text must be non-empty"),
        ("x" * 4097, [], "message is too long"),
        ("🔴" * 2049, [], "message is too long"),
        ("🔴 a", [entity("bold", 0, 1)], "entity ends in a middle of a UTF-16 symbol at UTF-16 offset 1"),
        ("🔴 a", [entity("bold", 1, 2)], "entity begins in a middle of a UTF-16 symbol at UTF-16 offset 1"),
        (
            "ab",
            [entity("bold", 1, 2)],
            "entity beginning at UTF-16 offset 1 ends after the end of the text at UTF-16 offset 2",
        ),
        ("ab", [entity("bold", -1, 1)], "receive an entity with incorrect offset -1"),
        ("ab", [entity("loud", 0, 1)], "can't parse MessageEntity: Unsupported type specified"),
        ("ab", [entity("text_link", 0, 1)], "can't parse MessageEntity: Can't find field \"url\""),
        ("ab", ["bold"], "can't parse entities: expected an Object as entity"),
    ],
)
def test_what_telegram_would_refuse_is_refused(text, given, words):
    with pytest.raises(ApiError) as caught:
        formatted(text, given)
    assert caught.value.description == f"Bad Request: {words}"


@pytest.mark.parametrize(
    ("text", "given", "kept"),
    [
        ("🔴 ab  ", [entity("bold", 3, 4)], [entity("bold", 3, 2)]),
        (
            "abcdef",
            [entity("bold", 0, 4), entity("italic", 2, 4)],
            [entity("bold", 0, 4), entity("italic", 2, 2), entity("italic", 4, 2)],
        ),
        ("abcdef", [entity("code", 0, 4), entity("bold", 1, 2)], [entity("code", 0, 4)]),
        ("abcdef", [entity("blockquote", 0, 6), entity("expandable_blockquote", 1, 2)], [entity("blockquote", 0, 6)]),
        ("a /ping@x_bot", [], [entity("bot_command", 2, 11)]),
        ("see https://a.example/x.", [], [entity("url", 4, 19)]),
        ("ask @olivia #INC42", [], [entity("mention", 4, 7), entity("hashtag", 12, 6)]),
        ("https://a.example/x", [entity("code", 0, 19)], [entity("code", 0, 19)]),
        ("x" * 4096, [], []),
    ],
)
def test_entities_are_kept_as_telegram_keeps_them(text, given, kept):
    assert list(formatted(text, given)[1]) == kept


def test_html_becomes_text_and_entities():
    source = (
        '🔴 <b>DOWN <i>now</i></b> &lt;x&gt; <a href="https://a.example">log</a> <blockquote expandable>q</blockquote>'
    )
    text, found = parse_html(source)
    assert text == "🔴 DOWN now <x> log q"
    assert sorted(found, key=lambda one: (one["offset"], -one["length"])) == [
        entity("bold", 3, 8),
        entity("italic", 8, 3),
        entity("text_link", 16, 3, url="https://a.example"),
        entity("expandable_blockquote", 20, 1),
    ]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a <b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("a <foo>x</foo>", 'Unsupported start tag "foo" at byte offset 2'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
    ],
)
def test_bad_html_is_refused_in_telegrams_words(source, words):
    with pytest.raises(ApiError) as caught:
        parse_html(source)
    assert caught.value.description == f"Bad Request: can't parse entities: {words}"


def keys(**button):
    return {"inline_keyboard": [[button]]}


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        (keys(text="x", callback_data="é" * 33), "BUTTON_DATA_INVALID"),
        (keys(text="x", callback_data=""), "BUTTON_DATA_INVALID"),
        (
            keys(text="x"),
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (keys(text="", callback_data="a"), "inline keyboard button text must be non-empty"),
        (keys(text="x", url="nowhere"), "inline keyboard button URL 'nowhere' is invalid: Wrong HTTP URL"),
        (keys(text="x", web_app={"url": "https://a.example"}), "BUTTON_TYPE_INVALID"),
    ],
)
def test_a_button_telegram_would_refuse_is_refused(markup, words):
    with pytest.raises(ApiError) as caught:
        inline_keyboard(markup, room_kind="supergroup")
    assert caught.value.description == f"Bad Request: {words}"


def test_sixty_four_bytes_of_data_are_kept():
    markup = keys(text="x", callback_data="é" * 32)
    assert inline_keyboard(markup, room_kind="supergroup") == markup
