"""The reference names every key that YAML takes, and each is described."""

from __future__ import annotations

import json
from pathlib import Path

from backhaul.config import check_project, reference

from .projects import ENVIRON, write


def test_every_key_is_described_and_can_be_written_as_json() -> None:
    entries = reference()

    assert json.loads(json.dumps(entries)) == entries
    assert all(entry["description"] and entry["type"] for entry in entries)
    places = [(entry["file"], entry["path"], entry["key"]) for entry in entries]
    assert len(places) == len(set(places))


def test_the_keys_of_the_reference_are_those_that_messages_allow(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "sources/salesforce.yml": """
                account: salesforce
                objects:
                  Contact: {fields: [{name: A, x1: 1}], x2: 1}
                  Lead: {fields: [A]}
                x3: 1
            """,
            "pipelines/contacts.yml": """
                steps:
                  - {import: salesforce.Contact, x4: 1}
                  - {test: a, x5: 1}
                  - export: salesforce.Lead
                    from: m
                    map: {A: {from: a, x6: 1}}
                    guards: {x7: 1}
                    x8: 1
                x9: 1
            """,
        },
    )
    allowed = {fault.message[:4].strip("'"): fault.allowed for fault in check_project(tmp_path, environ=ENVIRON)}
    documented: dict[tuple[str, str], list[str]] = {}
    for entry in reference():
        documented.setdefault((entry["file"], entry["path"]), []).append(entry["key"])

    places = {
        "x1": ("sources", "objects.<Object>.fields[]"),
        "x2": ("sources", "objects.<Object>"),
        "x3": ("sources", ""),
        "x4": ("pipelines", "steps[] (import)"),
        "x5": ("pipelines", "steps[] (test)"),
        "x6": ("pipelines", "steps[] (export).map.<Field>"),
        "x7": ("pipelines", "steps[].guards"),
        "x8": ("pipelines", "steps[] (export)"),
        "x9": ("pipelines", ""),
    }
    assert {key: tuple(documented[place]) for key, place in places.items()} == allowed


def test_defaults_and_types() -> None:
    found = {(entry["path"], entry["key"]): entry for entry in reference()}

    assert found["objects.<Object>", "overlap"]["default"] == "10m"
    assert found["objects.<Object>", "overlap"]["type"] == "duration"
    assert found["objects.<Object>", "road"]["type"] == "auto | rest | bulk"
    assert found["steps[] (delete)", "guards"]["required"]
    assert not found["steps[] (export)", "key"]["required"]
    assert found["accounts.<name>.auth (method: client_secret)", "client_secret"]["type"] == "secret text"
