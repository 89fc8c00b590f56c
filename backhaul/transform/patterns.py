"""Regular expressions of DuckDB (RE2's syntax) for engines that read them differently.

RE2's ``\\s``, ``\\d`` and ``\\w`` mean ASCII only, PostgreSQL's and Java's more; RE2 takes the first alternative of
``a|ab`` that fits, PostgreSQL the longest. The first is spelled out, the second is refused wherever it could matter
(PostgreSQL manual, 9.7.3; RE2's syntax page).
"""

from __future__ import annotations

import re

SIGNS = r"[^\p{L}\p{N}]+"
"""The one pattern with classes of Unicode that engines without them get a function for; see :mod:`.functions`."""

_PLAIN = {"s": " \\t\\n\\f\\r", "d": "0-9", "w": "0-9A-Za-z_"}
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\{\d+(?:,\d*)?\}|\(\?[:\w]*[:)]|.", re.DOTALL)


class NotCarried(ValueError):
    """The pattern would mean something else; the message says why."""


def carried(pattern: str, dialect: str, *, finds: bool) -> str:
    """The pattern as another engine has to be given it, to match the same.

    `finds`: it matters what is matched, not only whether. Raises :class:`NotCarried`.
    """
    if dialect == "bigquery":
        return pattern  # RE2, too
    tokens = _TOKEN.findall(pattern)
    if finds and dialect in ("postgres", "snowflake", "redshift"):
        _refuse_ambiguous(pattern, tokens)
    unicode = dialect in ("databricks", "redshift")  # Java, and PCRE by the parameter 'p'
    return "".join(_token(token, dialect, unicode) for token in tokens)


def _token(token: str, dialect: str, unicode: bool) -> str:
    if token.startswith("["):
        return re.sub(r"\\(.)", lambda found: _inside(found[0], unicode), token, flags=re.DOTALL)
    if not token.startswith("\\"):
        return token
    letter = token[1]
    if letter in _PLAIN:
        return f"[{_PLAIN[letter]}]"
    if letter.lower() in _PLAIN:
        return f"[^{_PLAIN[letter.lower()]}]"
    if letter in "bB" and dialect == "postgres":
        return "\\y" if letter == "b" else "\\Y"
    if letter == "z":
        return "\\Z" if dialect == "postgres" else token
    if letter.isalpha() and letter not in "tnrfabBA" and not (unicode and letter in "pP"):
        raise NotCarried(f"'{token}' in it is not known there")
    return token


def _inside(escaped: str, unicode: bool) -> str:
    letter = escaped[1]
    if letter in _PLAIN:
        return _PLAIN[letter]
    if letter.isalpha() and letter not in "tnrf" and not (unicode and letter in "pP"):
        raise NotCarried(f"'{escaped}' between brackets is not known there")
    return escaped


def _refuse_ambiguous(pattern: str, tokens: list[str]) -> None:
    """Raise where the first alternative and the longest one, or the least and the most repetitions, can differ."""
    for before, token in zip(tokens, tokens[1:], strict=False):
        if token == "?" and (before in ("*", "+", "?") or before.startswith("{")):
            raise NotCarried("the shortest match (*?, +?, ??) is not taken there")
    for opening, closing in [*_groups(tokens), (-1, len(tokens))]:
        alternatives = _alternatives(tokens[opening + 1 : closing])
        if len(alternatives) > 1 and not (
            _in_order(alternatives) or (closing < len(tokens) and _delimited(alternatives, tokens, closing + 1))
        ):
            raise NotCarried(
                f"'{''.join(tokens[opening + 1 : closing])}' has alternatives of which an earlier one can begin a "
                "later one: here the first that fits is taken, there the longest"
            )


def _groups(tokens: list[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    open_: list[int] = []
    for at, token in enumerate(tokens):
        if token == "(" or (token.startswith("(?") and token.endswith(":")):
            open_.append(at)
        elif token == ")":
            found.append((open_.pop(), at))
    return found


def _alternatives(tokens: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.startswith("(") and not token.endswith(")")) - (token == ")")
        if token == "|" and depth == 0:
            found.append([])
        else:
            found[-1].append(token)
    return found


def _in_order(alternatives: list[list[str]]) -> bool:
    """Whether all are of a fixed length, and none can match the beginning of what a later, longer one matches."""
    spread = [_fixed(alternative) for alternative in alternatives]
    if any(one is None for one in spread):
        return False
    for at, earlier in enumerate(spread):
        for later in spread[at + 1 :]:
            assert earlier is not None and later is not None
            if len(earlier) < len(later) and all(_meet(x, y) for x, y in zip(earlier, later, strict=False)):
                return False
    return True


def _fixed(alternative: list[str]) -> list[str] | None:
    """One token a character; None where a repetition or a group makes the length, or the tokens, unknown."""
    found: list[str] = []
    for token in alternative:
        times = re.fullmatch(r"\{(\d+)\}", token)
        if times and found:
            found += [found[-1]] * (int(times[1]) - 1)
        elif token in ("^", "$"):
            continue
        elif token[0] in "(){*+?|":
            return None
        else:
            found.append(token)
    return found


def _meet(one: str, other: str) -> bool:
    """Whether two one-character tokens can match the same character; in doubt they can."""
    if len(one) == 1 and one != "." and len(other) == 1 and other != ".":
        return one == other
    if any(token == "." or (token.startswith("\\") and token[1].isalnum()) for token in (one, other)):
        return True
    return any(re.fullmatch(one, chr(point)) and re.fullmatch(other, chr(point)) for point in range(1, 0x250))


def _delimited(alternatives: list[list[str]], tokens: list[str], at: int) -> bool:
    """Whether every way on from a group begins with a character that no alternative of it can hold."""
    while at < len(tokens) and tokens[at] == ")":
        at += 1
        if at < len(tokens) and tokens[at][0] in "*+?{":
            at += 1  # repeated from its beginning or gone on from here: what follows it counts
    if at >= len(tokens):
        return False
    if tokens[at] == "(":
        closing = next(end for start, end in _groups(tokens) if start == at)
        optional = closing + 1 < len(tokens) and tokens[closing + 1] in ("*", "?")
        if optional and not _delimited(alternatives, tokens, closing + 2):
            return False
        return all(
            bool(inner) and _delimited(alternatives, inner, 0) for inner in _alternatives(tokens[at + 1 : closing])
        )
    sign = tokens[at]
    if len(sign) != 1 or sign in ".^$|*+?{":
        return False
    if at + 1 < len(tokens) and tokens[at + 1] in ("*", "?"):
        return False
    return not any(
        _meet(token, sign) for alternative in alternatives for token in alternative if token[0] not in "(){*+?|^$"
    )


__all__ = ["SIGNS", "NotCarried", "carried"]
