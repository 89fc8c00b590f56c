"""Adding to a source as text: what stands there stays as it is."""

from __future__ import annotations

import pytest
import yaml

from backhaul.config.extending import extended
from backhaul.errors import ConfigurationError

WRITTEN = """\
# The org of the shop.
account: salesforce
objects:
  Contact:   # people
    cursor: SystemModstamp
    fields:
      - FirstName     # as people call them
      - {name: Birthdate, convert: date_only}   # no zone
    # the filter comes last
    filter: {field: Email, is: not_null}
  Lead:
    fields: [LastName, {name: Company, convert: copy}]   # few
"""


def add(text: str, object: str, *fields: str) -> str:
    return extended(text, "sources/salesforce.yml", "salesforce", object, fields)


def test_a_new_source_is_written_whole() -> None:
    assert yaml.safe_load(add("", "Contact", "Email", "Phone")) == {
        "account": "salesforce",
        "objects": {"Contact": {"fields": ["Email", "Phone"]}},
    }


@pytest.mark.parametrize("object", ["Contact", "Lead", "Account"])
@pytest.mark.parametrize("text", [WRITTEN, WRITTEN.rstrip("\n")])
def test_every_line_that_stood_there_stands_there(text: str, object: str) -> None:
    changed = add(text, object, "Email", "lastname", "Phone")
    kept = [line for line in text.splitlines() if not line.strip().startswith("fields: [")]
    lines = iter(changed.splitlines())
    assert all(line in lines for line in kept)
    assert changed.count("#") == text.count("#")
    found = yaml.safe_load(changed)["objects"]
    names = [item if isinstance(item, str) else item["name"] for item in found[object]["fields"]]
    assert {"Email", "Phone"} <= set(names)
    assert len({name.lower() for name in names}) == len(names)
    assert found["Contact"]["filter"] == {"field": "Email", "is": "not_null"}


def test_what_is_there_already_changes_nothing() -> None:
    assert add(WRITTEN, "Contact", "FIRSTNAME", "Birthdate") == WRITTEN


@pytest.mark.parametrize(
    "text",
    [
        "account: salesforce\nobjects: {Contact: {fields: [A]}}\n",
        "account: other\nobjects:\n  Contact:\n    fields: [A]\n",
        "account: [",
        "- 1\n",
        "account: salesforce\nobjects:\n",
    ],
)
def test_what_cannot_be_added_to_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        add(text, "Lead", "B")


def test_an_anchor_is_not_written_into_two_objects() -> None:
    text = "account: salesforce\nobjects:\n  Contact:\n    fields: &f [A]\n  Lead:\n    fields: *f\n"
    with pytest.raises(ConfigurationError, match="by hand: A, B"):
        add(text, "Lead", "B")
