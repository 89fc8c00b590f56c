"""The value types of the configuration: durations, cron schedules, names, addresses, and how refusals are raised."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from backhaul.yaml_marks import parse_moment, suggest

_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?\Z", re.ASCII)
_LONGEST = timedelta(days=3660)


class Rendered(str):
    """A text that Jinja made; `native` is the value before it became text, for fields that want no text."""

    native: object
    hidden: bool
    pending: bool

    def __new__(cls, text: str, native: object, *, hidden: bool = False, pending: bool = False) -> Rendered:
        """A text with its native value; `hidden`: from the environment; `pending`: still a template."""
        made = super().__new__(cls, text)
        made.native = native
        made.hidden = hidden
        made.pending = pending
        return made

    def __repr__(self) -> str:
        return "Rendered(...)"


def refusal(problem: str, *, allowed: tuple[str, ...] = (), hint: str = "") -> PydanticCustomError:
    """An error to raise in a validator. `problem` continues the sentence that begins with the key's name."""
    return PydanticCustomError("refused", "{problem}", {"problem": problem, "allowed": allowed, "hint": hint})


def parse_duration(text: str) -> timedelta:
    """The duration of a text such as ``10m``, ``1h30m``, ``45s``, ``2d``. ValueError for anything else."""
    match = _DURATION.match(text.strip())
    if not match or not any(match.groups()):
        raise ValueError("not a duration")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if duration > _LONGEST:
        raise ValueError("longer than ten years")
    return duration


def parse_instant(text: str) -> datetime | None:
    """A moment in UTC from ISO text or from ``yyyy/MM/dd hh:mm:ss``; without a zone UTC is meant, a date is midnight.

    None for an empty text. ValueError for anything else.
    """
    cleaned = text.strip()
    if not cleaned:
        return None
    if re.match(r"[0-9]{4}/[0-9]{2}/[0-9]{2}(?![0-9])", cleaned):
        cleaned = cleaned[:10].replace("/", "-") + cleaned[10:]
    moment = parse_moment(cleaned)
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), UTC)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the years 1 to 9999") from None


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError:
            pass
    raise refusal(
        "wants a duration of at most ten years", allowed=("45s", "10m", "1h30m", "2d"), hint="write number and unit"
    )


def _native(value: Any) -> Any:
    """What a number or boolean field sees of a rendered leaf."""
    if not isinstance(value, Rendered):
        return value
    if not isinstance(value.native, str):
        return value.native
    text = value.strip()
    if re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"[-+]?[0-9]{0,18}\.[0-9]{1,18}", text):
        return float(text)
    return {"true": True, "false": False}.get(text.lower(), value)


def _share(value: Any) -> Any:
    value = _native(value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _text(value: Any) -> Any:
    return str.__str__(value) if isinstance(value, Rendered) else value


def _name(value: Any) -> Any:
    if isinstance(value, Rendered) and value.hidden:
        raise refusal("is a name, which cannot come from env_var, as names stand in messages", hint="use var")
    return _text(value)


def _not_blank(value: str) -> str:
    if not value.strip():
        raise refusal("must not be empty")
    return value


def _version(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _text(value)


def _version_shape(value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,3}\.[0-9]", value):
        raise refusal("wants an API version such as 67.0 or 9.2")
    return value


def _url(value: str) -> str:
    value = value.strip().rstrip("/")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f]", value):
        raise refusal("wants an address that begins with https://")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise refusal("wants an address without user, password, query or fragment")
    if parts.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        raise refusal("must begin with https://, as secrets travel to it", hint="http:// is for this machine only")
    return value


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # reads the whole time zone folder


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (OSError, ValueError, LookupError):
        raise refusal(
            "wants an IANA time zone",
            allowed=("UTC", "Europe/Berlin", "America/New_York"),
            hint=suggest(value, _zones()),
        ) from None
    return value


def _named(pattern: str, problem: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise refusal(problem)
        return value

    return AfterValidator(check)


Text = Annotated[str, BeforeValidator(_text), AfterValidator(_not_blank)]
Whole = Annotated[int, BeforeValidator(_native)]
Share = Annotated[float, BeforeValidator(_share), Field(gt=0, le=1)]
Flag = Annotated[bool, BeforeValidator(_native)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Version = Annotated[str, BeforeValidator(_version), AfterValidator(_version_shape)]
Url = Annotated[str, BeforeValidator(_text), AfterValidator(_url)]
TimeZone = Annotated[str, BeforeValidator(_text), AfterValidator(_zone)]
_api_name = _named(r"[A-Za-z_][A-Za-z0-9_]{0,127}", "wants an API name: letters, digits and _")
ApiName = Annotated[str, BeforeValidator(_name), _api_name]
AccountName = Annotated[
    str,
    BeforeValidator(_name),
    _named(
        r"(?!.*__)[A-Za-z][A-Za-z0-9_]{0,39}", "wants a name of letters, digits and single _, at most 40 characters"
    ),
]
StepName = Annotated[
    str, BeforeValidator(_name), _named(r"[A-Za-z_][A-Za-z0-9_]{0,199}", "wants a name of letters, digits and _")
]
OptionName = Annotated[
    str, BeforeValidator(_name), _named(r"[A-Za-z0-9_.-]{1,250}", "wants a name of letters, digits, _, . and -")
]
ModelName = Annotated[
    str, BeforeValidator(_name), _named(r"[A-Za-z_]\w{0,127}(\.[A-Za-z_]\w{0,127})?", "wants the name of a model")
]
FieldName = Annotated[str, BeforeValidator(_name), _api_name]
RELATED = r"[A-Za-z_][A-Za-z0-9_]{0,127}(\.[A-Za-z_][A-Za-z0-9_]{0,127}){0,5}"
"""A field's API name, or the way to a related record's field: ``Account.Owner.Name``."""
RelatedName = Annotated[
    str,
    BeforeValidator(_name),
    _named(
        RELATED, "wants an API name: letters, digits and _, or a way to a related record's field such as Account.Name"
    ),
]
WrittenName = Annotated[
    str,
    BeforeValidator(_name),
    _named(
        rf"([A-Za-z_][A-Za-z0-9_]{{0,127}}:)?{RELATED}",
        "wants an API name: letters, digits and _, or a way to a related record's key such as Account.No__c, "
        "with the object before it where there are several: Lead:Who.Email",
    ),
]
PipelineName = Annotated[str, _named(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", "wants letters, digits, _, . and -")]
ColumnName = Annotated[
    str, BeforeValidator(_name), _named(r"[^\x00-\x1f\"]{1,255}", "wants the name of a column of the model")
]


def instant_text(value: date | datetime) -> str:
    """A YAML date or datetime as ISO text in UTC (naive = UTC)."""
    if not isinstance(value, datetime):
        return value.isoformat()
    return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON = (  # name, lowest, highest, words, the number of the first word
    ("minute", 0, 59, (), 0),
    ("hour", 0, 23, (), 0),
    ("day of month", 1, 31, (), 0),
    ("month", 1, 12, _MONTHS, 1),
    ("day of week", 0, 7, _DAYS, 0),
)


def cron_problem(text: str) -> str:
    """What is wrong with a cron schedule of five fields; empty when nothing is."""
    fields = text.split()
    if len(fields) != 5:
        return f"has {len(fields)} fields, where cron has five: minute, hour, day of month, month, day of week"
    for (name, lowest, highest, words, first), field_text in zip(_CRON, fields, strict=True):
        for part in field_text.split(","):
            problem = _cron_part(part, lowest, highest, {word: first + index for index, word in enumerate(words)})
            if problem:
                return f"has {part[:20]!r} as {name}, which {problem}"
    return ""


def _cron_part(part: str, lowest: int, highest: int, words: dict[str, int]) -> str:
    match = re.fullmatch(r"(\*|[A-Za-z0-9]+)(?:-([A-Za-z0-9]+))?(?:/([0-9]{1,4}))?", part)
    if not match or (match[1] == "*" and match[2] is not None):
        return "is neither *, a number, a range such as 1-5 nor a step such as */15"
    if match[3] is not None and not 1 <= int(match[3]) <= highest:
        return f"has a step outside 1 to {highest}"
    if match[1] == "*":
        return ""
    numbers: list[int] = []
    for text in match.groups()[:2]:
        if text is None:
            continue
        number = words.get(text.lower(), int(text) if text.isascii() and text.isdigit() and len(text) < 5 else -1)
        if not lowest <= number <= highest:
            return f"is outside {lowest} to {highest}"
        numbers.append(number)
    if len(numbers) == 2 and numbers[0] > numbers[1]:
        return "is a range that runs backwards"
    if len(numbers) == 1 and match[3] is not None:
        return "is a step without a range; write */15 or 0-59/15"
    return ""


def _cron(value: str) -> str:
    problem = cron_problem(value)
    if problem:
        raise refusal(problem, hint='for example "*/15 * * * *" for every quarter of an hour')
    return value


Schedule = Annotated[str, BeforeValidator(_text), AfterValidator(_cron)]
