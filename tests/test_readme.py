"""The README says what is so: its YAML reference, and the YAML that it shows."""

from __future__ import annotations

import re

import yaml

from backhaul.config.documented import reference
from tests.readme import BEGIN, README, rewritten


def test_the_yaml_reference_is_the_configurations_own() -> None:
    text = README.read_text(encoding="utf-8")
    assert BEGIN in text
    assert text == rewritten(text), "run `make readme`"


def test_every_key_in_the_readmes_yaml_exists() -> None:
    known = {entry["key"] for entry in reference()}
    shown = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    assert shown
    for block in shown:
        for key in _keys(list(yaml.safe_load_all(block))):
            # Names that people choose (accounts, objects, fields) are capitalised, dotted or quoted in comments.
            assert key in known or not key.islower() or key in {"salesforce", "dynamics", "asc", "desc"}, key


def _keys(node: object) -> set[str]:
    if isinstance(node, dict):
        return {str(key) for key in node} | {key for value in node.values() for key in _keys(value)}
    if isinstance(node, list):
        return {key for value in node for key in _keys(value)}
    return set()
