"""The words that choose models."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backhaul.errors import ConfigurationError
from backhaul.transform import Graph

from .test_graph import model


@pytest.fixture(scope="module")
def made() -> Graph:
    contact = replace(model("stg_contact", ("names",), folder="staging"), sources=(("salesforce", "Contact"),))
    return Graph(
        [
            replace(model("names", (), folder="seeds"), materialized="seed", file="transforms/seeds/names.csv"),
            contact,
            replace(model("stg_lead", (), folder="staging", tags=("nightly",)), sources=(("salesforce", "Lead"),)),
            replace(model("people", ("stg_contact", "stg_lead"), folder="campaign"), materialized="table"),
            replace(
                model("links", ("people",), folder="campaign", tags=("nightly", "small")),
                folders=("campaign", "deep"),
                file="transforms/campaign/deep/links.sql",
            ),
            model("out", ("links",), folder="export"),
        ]
    )


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ([], "names stg_contact stg_lead people links out"),
        ([" "], "names stg_contact stg_lead people links out"),
        (["people"], "people"),
        (["staging"], "stg_contact stg_lead"),
        (["campaign.people"], "people"),
        (["campaign.deep"], "links"),
        (["campaign.deep.links"], "links"),
        (["stg_*"], "stg_contact stg_lead"),
        (["staging.*"], "stg_contact stg_lead"),
        (["tag:nightly"], "stg_lead links"),
        (["tag:night*"], "stg_lead links"),
        (["path:transforms/campaign"], "people links"),
        (["path:campaign/deep/links.sql"], "links"),
        (["transforms/staging/"], "stg_contact stg_lead"),
        (["people.sql"], "people"),
        (["names.csv"], "names"),
        (["source:salesforce"], "stg_contact stg_lead"),
        (["source:salesforce.Contact+"], "stg_contact people links out"),
        (["config.materialized:table"], "people"),
        (["resource_type:seed"], "names"),
        (["+people"], "names stg_contact stg_lead people"),
        (["1+people"], "stg_contact stg_lead people"),
        (["people+"], "people links out"),
        (["people+1"], "people links"),
        (["1+people+1"], "stg_contact stg_lead people links"),
        (["+campaign,tag:nightly"], "stg_lead links"),
        (["campaign,tag:small", "names"], "names links"),
        (["people names"], "names people"),
        (["@stg_lead"], "names stg_contact stg_lead people links out"),
    ],
)
def test_words_choose(made: Graph, words: list[str], chosen: str) -> None:
    assert [found.name for found in made.select(words)] == sorted(chosen.split(), key=made.order.index)


def test_excluded_are_left_out(made: Graph) -> None:
    assert [found.name for found in made.select(["+out"], exclude=["seeds", "tag:nightly"])] == [
        "stg_contact",
        "people",
        "out",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["peeple"],
            "the selection 'peeple' chooses no model\n"
            "    allowed: campaign, campaign.deep, export, seeds, staging, links, names, out, people, stg_contact, "
            "stg_lead\n"
            "    next: did you mean 'people'?",
        ),
        (
            ["Staging+"],
            "the selection 'Staging' chooses no model\n"
            "    allowed: campaign, campaign.deep, export, seeds, staging, links, names, out, people, stg_contact, "
            "stg_lead\n"
            "    next: did you mean 'staging'?",
        ),
        (
            ["tag:nightli"],
            "the selection 'tag:nightli' chooses no model\n"
            "    allowed: tag:nightly, tag:small\n"
            "    next: did you mean 'tag:nightly'?",
        ),
        (
            ["tags:nightly"],
            "the selection 'tags:nightly' uses the unknown method 'tags'\n"
            "    allowed: tag, path, file, source, config.<key>, resource_type, fqn\n"
            "    next: did you mean 'tag:nightly'?",
        ),
        (
            ["+"],
            "the selection '+' cannot be read\n"
            "    allowed: name, folder, folder.name, tag:x, path:x, +name, name+, 2+name+1, @name",
        ),
        (
            ["people,names"],
            "the selection 'people,names' chooses no model: each part of it does, but none is in all\n"
            "    next: write the parts with a space between to choose what is in any of them",
        ),
    ],
)
def test_words_that_choose_nothing_are_faults(made: Graph, words: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        made.select(words)
    assert str(caught.value) == message


def test_every_wrong_word_is_told(made: Graph) -> None:
    with pytest.raises(ConfigurationError) as caught:
        made.select(["nope zilch"], exclude=["nada"])
    assert [fault.message.split("'")[1] for fault in caught.value.faults] == ["nope", "zilch", "nada"]


def test_no_models_at_all() -> None:
    assert Graph([]).select([]) == []
    with pytest.raises(ConfigurationError, match=r"there are none"):
        Graph([]).select(["x"])
