"""Regular expressions of DuckDB (RE2's syntax) for engines that read them differently.

RE2's ``\\s``, ``\\d`` and ``\\w`` mean ASCII only, PostgreSQL's and Java's more; RE2 takes the first alternative of
``a|ab`` that fits, PostgreSQL the longest. The first is spelled out, the second is refused wherever it could matter
(PostgreSQL manual, 9.7.3; RE2's syntax page).
"""

from __future__ import annotations

import re
from itertools import pairwise

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
    if dialect == "clickhouse":
        return f"(?-s){pattern}"  # RE2 as well, but that a dot would find a line end
    signs = _TOKEN.findall(pattern)
    if finds and dialect in ("postgres", "snowflake"):
        _refuse_ambiguous(pattern, signs)
    unicode = dialect in ("databricks", "redshift")  # Java, and PCRE by the parameter 'p'
    return "".join(_token(sign, dialect, unicode) for sign in signs)


def matches_once(pattern: str) -> bool:
    """Whether a text can hold one match at most: from its very beginning, or up to its very end and not empty."""
    signs = _TOKEN.findall(pattern)
    if len(_alternatives(signs)) > 1:
        return False
    if signs[:1] == ["^"]:
        return True
    try:
        return signs[-1:] == ["$"] and re.search(pattern, "") is None
    except re.error:
        return False


def _token(sign: str, dialect: str, unicode: bool) -> str:
    if sign.startswith("["):
        return re.sub(r"\\(.)", lambda found: _inside(found[0], unicode), sign, flags=re.DOTALL)
    if not sign.startswith("\\"):
        return sign
    letter = sign[1]
    if letter in _PLAIN:
        return f"[{_PLAIN[letter]}]"
    if letter.lower() in _PLAIN:
        return f"[^{_PLAIN[letter.lower()]}]"
    if letter in "bB" and dialect == "postgres":
        return "\\y" if letter == "b" else "\\Y"
    if letter == "z":
        return "\\Z" if dialect == "postgres" else sign
    if letter.isalpha() and letter not in "tnrfabBA" and not (unicode and letter in "pP"):
        raise NotCarried(f"'{sign}' in it is not known there")
    return sign


def _inside(escaped: str, unicode: bool) -> str:
    letter = escaped[1]
    if letter in _PLAIN:
        return _PLAIN[letter]
    if letter.isalpha() and letter not in "tnrf" and not (unicode and letter in "pP"):
        raise NotCarried(f"'{escaped}' between brackets is not known there")
    return escaped


def _refuse_ambiguous(pattern: str, signs: list[str]) -> None:
    """Raise where the first alternative and the longest one, or the least and the most repetitions, can differ."""
    for before, sign in pairwise(signs):
        if sign == "?" and (before in ("*", "+", "?") or before.startswith("{")):
            raise NotCarried("the shortest match (*?, +?, ??) is not taken there")
    for opening, closing in [*_groups(signs), (-1, len(signs))]:
        alternatives = _alternatives(signs[opening + 1 : closing])
        if len(alternatives) > 1 and not (
            _in_order(alternatives) or (closing < len(signs) and _delimited(alternatives, signs, closing + 1))
        ):
            raise NotCarried(
                f"'{''.join(signs[opening + 1 : closing])}' has alternatives of which an earlier one can begin a "
                "later one: here the first that fits is taken, there the longest"
            )


def _groups(signs: list[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    open_: list[int] = []
    for at, sign in enumerate(signs):
        if sign == "(" or (sign.startswith("(?") and sign.endswith(":")):
            open_.append(at)
        elif sign == ")":
            found.append((open_.pop(), at))
    return found


def _alternatives(signs: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    depth = 0
    for sign in signs:
        depth += (sign.startswith("(") and not sign.endswith(")")) - (sign == ")")
        if sign == "|" and depth == 0:
            found.append([])
        else:
            found[-1].append(sign)
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
    """One sign a character; None where a repetition or a group makes the length, or the signs, unknown."""
    found: list[str] = []
    for sign in alternative:
        times = re.fullmatch(r"\{(\d+)\}", sign)
        if times and found:
            found += [found[-1]] * (int(times[1]) - 1)
        elif sign in ("^", "$"):
            continue
        elif sign[0] in "(){*+?|":
            return None
        else:
            found.append(sign)
    return found


def _meet(one: str, other: str) -> bool:
    """Whether two one-character signs can match the same character; in doubt they can."""
    if len(one) == 1 and one != "." and len(other) == 1 and other != ".":
        return one == other
    if any(sign == "." or (sign.startswith("\\") and sign[1].isalnum()) for sign in (one, other)):
        return True
    return any(re.fullmatch(one, chr(point)) and re.fullmatch(other, chr(point)) for point in range(1, 0x250))


def _delimited(alternatives: list[list[str]], signs: list[str], at: int) -> bool:
    """Whether every way on from a group begins with a character that no alternative of it can hold."""
    while at < len(signs) and signs[at] == ")":
        at += 1
        if at < len(signs) and signs[at][0] in "*+?{":
            at += 1  # repeated from its beginning or gone on from here: what follows it counts
    if at >= len(signs):
        return False
    if signs[at] == "(":
        closing = next(end for start, end in _groups(signs) if start == at)
        optional = closing + 1 < len(signs) and signs[closing + 1] in ("*", "?")
        if optional and not _delimited(alternatives, signs, closing + 2):
            return False
        return all(
            bool(inner) and _delimited(alternatives, inner, 0) for inner in _alternatives(signs[at + 1 : closing])
        )
    next_ = signs[at]
    if len(next_) != 1 or next_ in ".^$|*+?{":
        return False
    if at + 1 < len(signs) and signs[at + 1] in ("*", "?"):
        return False
    return not any(
        _meet(sign, next_) for alternative in alternatives for sign in alternative if sign[0] not in "(){*+?|^$"
    )


__all__ = ["SIGNS", "NotCarried", "carried", "matches_once"]
