"""Adding objects and fields to a source's YAML as text: comments, order and spelling of what stands there are kept.

The text is changed at places that the YAML parser names, and read again: what does not read as meant is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backhaul.errors import ConfigurationError, Fault, Where


def extended(text: str, shown: str, account: str, object: str, fields: Sequence[str]) -> str:
    """The text of a source with `fields` of `object` added; a new source when `text` is empty.

    Fields that are there already are left alone. `shown` is the file's name in messages. Raises ConfigurationError when
    the text is no source of `account`, or is written in a way that cannot be added to.
    """
    import yaml

    if not text.strip():
        return f"account: {account}\nobjects:\n{_block(object, fields, 2)}"
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        before = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigurationError(Fault("the file is no YAML", Where(shown), hint="backhaul check")) from None
    if not isinstance(before, dict) or before.get("account") != account or not isinstance(before.get("objects"), dict):
        raise ConfigurationError(
            Fault(f"the file is no source of the account {account!r}", Where(shown), hint="backhaul check")
        )
    objects = _entry(root, "objects")
    found = before["objects"].get(object)
    if found is None:
        changed = _after(text, objects, _block(object, fields, objects.start_mark.column))
        wanted = [*fields]
    else:
        there = [_name(item) for item in found.get("fields") or ()] if isinstance(found, dict) else []
        lower = {str(name).lower() for name in there}
        new = [name for name in fields if name.lower() not in lower]
        if not new:
            return text
        node = _entry(_entry(objects, object), "fields") if there else None
        changed = _added(text, node, new) if node is not None else text
        wanted = [*there, *new]
    _prove(yaml, changed, before, (object, wanted), Where(shown))
    return changed


def _prove(yaml: Any, changed: str, before: dict[str, Any], added: tuple[str, list[str]], where: Where) -> None:
    """The new text says what the old one said, and the fields."""
    object, wanted = added
    try:
        after = yaml.safe_load(changed)
        names = [_name(item) for item in after["objects"][object].pop("fields")]
        rest = dict(after["objects"].pop(object))
    except (yaml.YAMLError, TypeError, KeyError, AttributeError):
        names, rest, after = [], {}, None
    old = {**before, "objects": dict(before["objects"])}
    held = dict(old["objects"].pop(object, {}))
    held.pop("fields", None)
    if names != wanted or rest != held or after != old:
        raise ConfigurationError(
            Fault(
                "the file is written in a way that cannot be added to (a flow mapping, an anchor)",
                where,
                hint=f"add to the fields of {object} by hand: {', '.join(wanted)}",
            )
        )


def _block(object: str, fields: Sequence[str], indent: int) -> str:
    lines = [f"{' ' * indent}{object}:", f"{' ' * (indent + 2)}fields:"]
    return "\n".join([*lines, *(f"{' ' * (indent + 4)}- {name}" for name in fields)]) + "\n"


def _entry(mapping: Any, key: str) -> Any:
    """The value node of a key."""
    return next(value for name, value in mapping.value if name.value == key)


def _last(node: Any) -> int:
    """Where the last character of a node stands, comments behind it not counted."""
    if isinstance(node.value, list) and node.value and not node.flow_style:
        final = node.value[-1]
        return _last(final[1] if isinstance(final, tuple) else final)
    index: int = node.end_mark.index
    return index


def _after(text: str, node: Any, block: str) -> str:
    """The text with `block` on the lines after the node's last one."""
    end = text.find("\n", _last(node))
    return f"{text}\n{block}" if end < 0 else text[: end + 1] + block + text[end + 1 :]


def _added(text: str, node: Any, names: Sequence[str]) -> str:
    if not node.flow_style:
        return _after(text, node, "".join(f"{' ' * node.start_mark.column}- {name}\n" for name in names))
    end = _last(node.value[-1])
    return text[:end] + "".join(f", {name}" for name in names) + text[end:]


def _name(item: Any) -> str:
    return str(item.get("name")) if isinstance(item, dict) else str(item)
