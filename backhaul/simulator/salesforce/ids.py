"""Salesforce record ids: 15 characters, case-sensitive, and the 18-character form with three checksum characters.

Rests on salesforce-api.md §1 (Ids, Checksum).
"""

from __future__ import annotations

import functools
import re

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?\Z")
_POD = "Ks0"
_DIGITS = 9


def checksum(id15: str) -> str:
    """The three characters that make `id15` safe to compare without regard to case."""
    return _block(id15[:5]) + _block(id15[5:10]) + _block(id15[10:15])


@functools.lru_cache(maxsize=1 << 16)
def _block(five: str) -> str:
    return _CHECK[sum(1 << place for place, char in enumerate(five) if "A" <= char <= "Z")]


def to18(given: str) -> str | None:
    """The 18-character form of a 15- or 18-character id, None when it is neither or its checksum is wrong."""
    if not _SHAPE.match(given):
        return None
    id15 = given[:15]
    whole = id15 + checksum(id15)
    return whole if len(given) == 15 or given == whole else None


def make(prefix: str, number: int) -> str:
    """The id of record `number` of the object with this three-character key prefix. Ids sort by number."""
    digits = ""
    for _ in range(_DIGITS):
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    id15 = prefix + _POD + digits
    return id15 + checksum(id15)


def make_sql(prefix: str, number: str) -> str:
    """What `make` does, as an SQL expression over the BIGINT expression `number` (evaluated several times)."""
    digits = " || ".join(
        f"substr('{ALPHABET}', 1 + CAST(({number}) // {62**place} % 62 AS INTEGER), 1)"
        for place in reversed(range(_DIGITS))
    )
    head = prefix + _POD
    # The first six characters are fixed and only nine vary, so their checksum bits are worked out on the nine.
    bits: list[list[str]] = [[], [], []]
    for place in range(15):
        block, bit = divmod(place, 5)
        if place < len(head):
            bits[block].append(str(1 << bit if "A" <= head[place] <= "Z" else 0))
        else:
            digit = f"(({number}) // {62 ** (14 - place)} % 62)"
            bits[block].append(f"CASE WHEN {digit} BETWEEN 10 AND 35 THEN {1 << bit} ELSE 0 END")
    checks = " || ".join(f"substr('{_CHECK}', 1 + {' + '.join(parts)}, 1)" for parts in bits)
    return f"('{head}' || {digits} || {checks})"
