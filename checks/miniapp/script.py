"""Reads a built script for two faults no status shows: it ends in the middle, or its API address is `undefined`.

Neither runs nor parses it. Where a reading is in doubt, nothing is said.
"""

import re

READ_LIMIT_CHARACTERS = 2_000_000
"""A longer script is not read: a look must not hold up the others."""

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)"""
    r"""|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<word>[\w$]+)"""
    r"""|(?P<open>[({\[])"""
    r"""|(?P<close>[)}\]])"""
    r"""|(?P<tick>`)"""
    r"""|(?P<torn>/\*|["'])"""
    r"""|(?P<slash>/)"""
    r"""|(?P<other>[^\s\w$"'`(){}\[\]/]+)""",
    re.DOTALL,
)
_PATTERN = re.compile(r"/(?![*/])(?:[^\\/\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*")
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL)
_BEFORE_PATTERN = frozenset({"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do"})
_PAIRS = {")": "(", "}": "{", "]": "["}

_TEXT_BASE = re.compile(r"""["'`](?:\$\{(?:void 0|undefined)\}|undefined)/[\w$/?-]*""")
_ADDED_BASE = re.compile(r"""(?<![\w$.])(?:void 0|undefined)\s*\+\s*["'`]/""")
_NAMED_BASE = re.compile(
    r"""(?i)["']?(?:\b|_)(?:api|backend)[_-]?(?:url|base(?:[_-]?url)?|host|root|endpoint)["']?\s*[:=]\s*"""
    r"""(?:void 0|undefined|null|["'`](?:undefined|null)["'`])(?=\s*[,;}\n]|\s*$)"""
)
_AXIOS_BASE = re.compile(r"""\.create\(\{[^{}]{0,200}?\bbaseURL:\s*(?:void 0|undefined)\b""")
_UNSET = re.compile(r"\bconst ([\w$]+)=void 0[,;]")
"""What a bundler makes of `const API = import.meta.env.VITE_API_URL` when the variable was not set at build time."""


def is_torn(script: str) -> bool:
    """Say whether `script` ends inside a text, a comment or a bracket: half a file.

    A bracket that closes the wrong one means that this reading went astray (a division taken for a pattern): False.
    """
    if len(script) > READ_LIMIT_CHARACTERS:
        return False
    stack: list[str] = []
    at, end, is_value = 0, len(script), False
    while at < end:
        if stack and stack[-1] == "`":
            at = _template_end(script, at, stack)
            is_value = True
            continue
        found = _TOKEN.search(script, at)
        if found is None:
            break
        kind, at = found.lastgroup, found.end()
        if kind == "torn":
            return found.group() == "/*" or "\n" not in script[at:]
        if kind == "slash":
            pattern = None if is_value else _PATTERN.match(script, found.start())
            at = pattern.end() if pattern else at
            is_value = pattern is not None
        elif kind == "tick":
            stack.append("`")
        elif kind == "open":
            stack.append(found.group())
            is_value = False
        elif kind == "close":
            if not stack or stack[-1].lstrip("$") != _PAIRS[found.group()]:
                return False
            is_value = stack.pop() != "{"
        elif kind != "comment":
            is_value = kind == "text" or (kind == "word" and found.group() not in _BEFORE_PATTERN)
    return bool(stack)


def unset_base(script: str) -> str | None:
    """Return the words of `script` that call an address `undefined`, None when there are none."""
    for pattern in (_TEXT_BASE, _ADDED_BASE, _NAMED_BASE, _AXIOS_BASE):
        found = pattern.search(script)
        if found is not None:
            return found.group()[:80]
    for name in dict.fromkeys(_UNSET.findall(script)):
        escaped = re.escape(name)
        used = re.search(rf"`\$\{{{escaped}\}}/[\w/-]*|(?<![\w$.]){escaped}\+[\"'`]/[\w/-]*", script)
        if used is not None:
            return f"{name}=void 0 … {used.group()}"[:80]
    return None


def _template_end(script: str, at: int, stack: list[str]) -> int:
    """Return where the text of a template stops: behind its end, behind a `${`, or at the end of the script."""
    found = _TEMPLATE.match(script, at)
    stop = found.end() if found else at
    if script.startswith("`", stop):
        stack.pop()
        return stop + 1
    if script.startswith("${", stop):
        stack.append("${")
        return stop + 2
    return len(script)
