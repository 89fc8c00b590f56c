"""What load_models refuses, word for word, and what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from backhaul.errors import ConfigurationError
from backhaul.transform import load_models

from .workshop import faults, graph, make

GOOD = {
    "staging/stg_contact.sql": "select 1 as id, 'a' as email",
    "campaign/recipients.sql": "select * from {{ ref('stg_contact') }}",
}


def test_a_model_is_read_whole(tmp_path: Path) -> None:
    made = graph(
        tmp_path,
        {
            "staging/stg_contact.sql": """
                {{ config(tags='crm') }}
                select Id as id from {{ source('salesforce', 'Contact') }}
            """,
            "campaign/inner/recipients.sql": """
                {{ config(materialized='incremental', unique_key=['id']) }}
                select * from {{ ref('stg_contact') }}
                {% if is_incremental() %}
                where id not in (select id from {{ this }}) or id in (select id from {{ ref('late') }})
                {% endif %}
            """,
            "late.sql": "select 1 as id",
            "about.yml": """
                version: 2
                models:
                  - name: recipients
                    description: One row for each person
                    config: {tags: [marketing, "{{ var('team', 'field') }}"]}
                    columns:
                      - name: id
                        description: stable
                        tests: [unique, not_null]
                        data_tests:
                          - relationships: {to: ref('stg_contact'), field: id}
                      - name: kind
                        tests:
                          - accepted_values:
                              arguments: {values: [a, b]}
                              config: {severity: warn, where: id > 1}
            """,
            "seeds/people.csv": "id,name\n1,x\n",
            "tests/no_ghosts.sql": "select * from {{ ref('recipients') }} where id = 0",
        },
    )
    assert made.order == ("late", "people", "stg_contact", "recipients")
    recipients = made["recipients"]
    assert recipients.relation.plain == "campaign.recipients"
    assert (recipients.folders, recipients.file) == (("campaign", "inner"), "transforms/campaign/inner/recipients.sql")
    assert (recipients.materialized, recipients.unique_key) == ("incremental", ("id",))
    assert recipients.refs == ("late", "stg_contact")
    assert recipients.tags == ("marketing", "field")
    assert recipients.description == "One row for each person"
    assert [(column.name, column.description) for column in recipients.columns] == [("id", "stable"), ("kind", "")]
    assert [(test.name, test.severity, test.only) for test in recipients.tests] == [
        ("unique_recipients_id", "error", ""),
        ("not_null_recipients_id", "error", ""),
        ("relationships_recipients_id", "error", ""),
        ("accepted_values_recipients_kind", "warn", "id > 1"),
    ]
    assert made["stg_contact"].sources == (("salesforce", "Contact"),)
    assert made["late"].schema == "main"
    assert made["people"].is_seed and made["people"].relation.plain == "seeds.people"
    assert [test.refs for test in made.singular] == [("recipients",)]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"campaign/a.sql": "select *\nfrom {{ ref('stg_contct') }}"},
            "transforms/campaign/a.sql:2: ref('stg_contct') names no model\n    next: did you mean 'stg_contact'?",
        ),
        (
            {"campaign/a.sql": "select *\nfrom {{ source('salesforce', 'Contacts') }}"},
            "transforms/campaign/a.sql:2: source('salesforce', 'Contacts'): sources/*.yml does not declare 'Contacts' "
            "of 'salesforce'\n    allowed: Contact, Lead\n    next: did you mean 'Contact'?",
        ),
        (
            {"campaign/a.sql": "select * from {{ source('sap', 'X') }}"},
            "transforms/campaign/a.sql:1: source('sap', 'X'): no file of sources/ is for the account 'sap'\n"
            "    allowed: salesforce\n    next: declare the object in sources/sap.yml",
        ),
        (
            {"campaign/a.sql": "select 1\n{% if x %}\nfrom t"},
            "transforms/campaign/a.sql:2: Jinja: Unexpected end of template. Jinja was looking for the following tags: "
            "'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'.",
        ),
        (
            {"campaign/a.sql": "select\n  {{ reff('x') }}"},
            "transforms/campaign/a.sql:2: Jinja: 'reff' is not known here\n    next: did you mean 'ref'?",
        ),
        (
            {"campaign/a.sql": "select {{ var('since') }}"},
            "transforms/campaign/a.sql:1: the variable 'since' has no value and no default\n"
            "    next: set it under [tool.backhaul.vars] in pyproject.toml, or give it on the command line",
        ),
        (
            {"campaign/a.sql": "select {{ steps.import_salesforce_Contct.start }}"},
            "transforms/campaign/a.sql:1: no pipeline has a step 'import_salesforce_Contct'\n"
            "    next: did you mean 'import_salesforce_Contact'?",
        ),
        (
            {"campaign/a.sql": "select 1 as x\n\n  , 2 as y z\nfrom t"},
            'transforms/campaign/a.sql:3: SQL: syntax error at or near "z"',
        ),
        (
            {"campaign/a.sql": "{% for i in [1, 2] %}\nselect {{ i }}\n{% endfor %}\nfrom t\nwhere"},
            'transforms/campaign/a.sql:2: SQL: syntax error at or near "select"',
        ),
        (
            {
                "macros/m.sql": "{% macro broken(x) %}\n(\n  {{ x }} {{ x }} ( \n)\n{% endmacro %}",
                "campaign/a.sql": "select {{ broken('1') }}",
            },
            'transforms/macros/m.sql:3: SQL: syntax error at or near "1"',
        ),
        (
            {"campaign/a.sql": "select 1;\n-- done"},
            "transforms/campaign/a.sql:1: SQL: a model ends without a semicolon\n    next: remove the ';'",
        ),
        (
            {"campaign/a.sql": "select 1; select 2"},
            "transforms/campaign/a.sql: SQL: it holds 2 statements; a model is one SELECT",
        ),
        (
            {"campaign/a.sql": "create table x as select 1"},
            "transforms/campaign/a.sql: SQL: it is not a SELECT\n"
            "    next: a model is one SELECT; backhaul makes the table around it",
        ),
        ({"campaign/a.sql": "\n"}, "transforms/campaign/a.sql: SQL: it makes no SQL at all: its text is empty"),
        (
            {"campaign/a.sql": "-- later\n"},
            "transforms/campaign/a.sql: SQL: it makes no SQL: there are only comments",
        ),
        (
            {"campaign/a.sql": "{{ config(materialized='tabel') }}\nselect 1 as x"},
            "transforms/campaign/a.sql:1: materialized of 'a' is 'tabel'\n"
            "    allowed: table, view, incremental, ephemeral\n    next: did you mean 'table'?",
        ),
        (
            {"campaign/a.sql": "{{ config(materialised='table') }}\nselect 1 as x"},
            "transforms/campaign/a.sql:1: 'materialised' is not a word of a model's config ('a')\n"
            "    allowed: tags, schema, alias, enabled, materialized, unique_key, full_refresh, incremental_strategy, "
            "on_schema_change\n    next: did you mean 'materialized'?",
        ),
        (
            {"campaign/a.sql": "{{ config(materialized='incremental') }}\nselect 1 as x"},
            "transforms/campaign/a.sql:1: the model 'a' is incremental and has no unique_key, so rows seen again would "
            "come twice\n    next: add unique_key='<column>' (or a list of columns) to its config",
        ),
        (
            {"campaign/a.sql": "{{ config(tags=1) }}\nselect 1 as x"},
            "transforms/campaign/a.sql:1: tags of 'a' wants text or a list of texts, found a number",
        ),
        (
            {"raw/a.sql": "select 1 as x"},
            "transforms/raw/a.sql:1: the schema 'raw' is not for models\n    next: give the folder another name",
        ),
        (
            {"export/Recipients.sql": "select 1 as x"},
            "transforms/export/Recipients.sql:1: the model 'Recipients' stands twice: "
            "transforms/campaign/recipients.sql has the same name\n"
            "    next: names are unique in the whole project: rename one of the files",
        ),
        (
            {"campaign/a.sql": "{{ config(alias='recipients') }} select 1 as x"},
            "transforms/campaign/recipients.sql:1: 'recipients' and 'a' (transforms/campaign/a.sql) both make "
            "campaign.recipients",
        ),
        (
            {
                "campaign/a.sql": "{{ config(enabled=false) }} select 1 as x",
                "campaign/b.sql": "select * from {{ ref('a') }}",
            },
            "transforms/campaign/b.sql:1: ref('a') names a model that its config switches off (enabled: false)",
        ),
        (
            {"campaign/a.sql": "select * from {{ this }} join {{ ref('a') }} using (id)"},
            "transforms/campaign/a.sql:1: the model reads itself: a -> a\n"
            "    next: an incremental model reads its own table as {{ this }}",
        ),
        (
            {
                "campaign/a.sql": "select *\nfrom {{ ref('b') }}",
                "campaign/b.sql": "select * from {{ ref('c') }} join {{ ref('stg_contact') }} using (id)",
                "campaign/c.sql": "select 1 as id {% if is_incremental() %} from {{ ref('a') }} {% endif %}",
                "campaign/d.sql": "select * from {{ ref('c') }}",
            },
            "transforms/campaign/a.sql:2: models read each other in a circle: a -> b -> c -> a\n"
            "    next: a -> b says that a reads b; take one ref out, or put what both need into a model of its own",
        ),
        (
            {"campaign/my-model.sql": "select 1 as x"},
            "transforms/campaign/my-model.sql:1: 'my-model' cannot be the name of a model or folder\n"
            "    next: use letters, digits and _, and begin with a letter",
        ),
        (
            {"people.csv": "a\n1\n"},
            "transforms/people.csv:1: a CSV file stands outside transforms/seeds\n"
            "    next: move it to transforms/seeds/",
        ),
        (
            {"seeds/people.csv": "a,b,A\n1,2,3\n"},
            "transforms/seeds/people.csv:1: the column 'A' stands twice in the CSV file",
        ),
        (
            {
                "macros/one.sql": "{% macro f() %}1{% endmacro %}",
                "macros/two.sql": "{# two #}\n{% macro f() %}2{% endmacro %}",
            },
            "transforms/macros/two.sql:2: the macro 'f' stands twice, here and at transforms/macros/one.sql:1\n"
            "    next: rename one",
        ),
        (
            {"macros/one.sql": "{% macro ref(x) %}1{% endmacro %}"},
            "transforms/macros/one.sql:1: a macro cannot be called 'ref': every model has that word already",
        ),
        (
            {"tests/t.sql": "{{ config(severity='loud') }} select * from {{ ref('recipients') }}"},
            "transforms/tests/t.sql:1: severity of 't' is 'loud'\n    allowed: error, warn",
        ),
        (
            {"campaign/a.sql": "select {{ exceptions.raise_compiler_error('not yet') }}"},
            "transforms/campaign/a.sql:1: not yet",
        ),
        (
            {"campaign/a.sql": "select {{ none }} as x"},
            "transforms/campaign/a.sql:1: an expression between {{ and }} is None, which SQL would read as a column\n"
            "    next: write 'null' as text, give a default, or use {% do ... %} for a call without a result",
        ),
    ],
)
def test_a_fault_says_where_what_and_what_next(tmp_path: Path, files: dict[str, str], message: str) -> None:
    assert faults(tmp_path, {**GOOD, **files}) == [message]


YAML = """
    models:
      - name: recipients
        columns:
          - name: email
            {}
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "models: [{name: recipient}]",
            ":1: the model 'recipient' is described here, and there is no file "
            "transforms/<schema>/recipient.sql\n    next: did you mean 'recipients'?",
        ),
        (
            "seeds: [{name: recipients}]",
            ":1: 'recipients' stands under 'seeds', but it is transforms/campaign/recipients.sql\n"
            "    next: move it under 'models'",
        ),
        (
            "models:\n- name: recipients\n- name: recipients",
            ":3: 'recipients' is described twice, first at transforms/about.yml:2",
        ),
        (
            "sources: [{name: raw}]",
            ":1: sources are declared in the project's sources folder, not in transforms\n"
            "    next: remove this block; sources/<account>.yml names the objects",
        ),
        (
            "model: []",
            ":1: 'model' is not known at the top of this file\n    allowed: version, models, seeds, macros\n"
            "    next: did you mean 'models'?",
        ),
        (
            "models: {name: recipients}",
            ":1: 'models' is a mapping, where a list is wanted\n    next: begin each entry with '- '",
        ),
        ("models: [{description: x}]", ":1: an entry of 'models' has no 'name'"),
        (
            "models: [{name: recipients, colums: []}]",
            ":1: 'colums' is not known in 'recipients'\n"
            "    allowed: name, description, config, columns, tests, data_tests, docs, meta\n"
            "    next: did you mean 'columns'?",
        ),
        (
            YAML.format("tests: [not_nul]"),
            ":5: the test 'not_nul' is not known\n"
            "    allowed: not_null, unique, accepted_values, relationships, above\n"
            "    next: did you mean 'not_null'?",
        ),
        (
            YAML.format("tests: [{accepted_values: {value: [1]}}]"),
            ":5: 'value' is not a word of the test 'accepted_values'\n"
            "    allowed: values, quote, name, description, config, severity, where, arguments\n"
            "    next: did you mean 'values'?",
        ),
        (
            YAML.format("tests: [accepted_values]"),
            ":5: accepted_values wants 'values', a list\n    next: - accepted_values: {values: [a, b]}",
        ),
        (
            YAML.format("tests: [{relationships: {to: people, field: id}}]"),
            ":5: relationships wants 'to' and 'field'\n    next: - relationships: {to: ref('model'), field: column}",
        ),
        (
            YAML.format("tests: [{relationships: {to: ref('stg_contcat'), field: id}}]"),
            ":5: ref('stg_contcat') names no model\n    next: did you mean 'stg_contact'?",
        ),
        (
            YAML.format("tests: [{unique: {config: {severity: loud}}}]"),
            ":5: the severity of a test is error or warn\n    allowed: error, warn",
        ),
        (
            YAML.format("tests: [{unique: {config: {limit: 5}}}]"),
            ":5: 'limit' is not a word of 'config' of the test 'unique'\n"
            "    allowed: severity, where, enabled, tags, meta",
        ),
        (
            "models: [{name: recipients, tests: [unique]}]",
            ":1: the test 'unique' of 'recipients' has no column\n"
            "    next: put it under a column, or give it column_name: - unique: {column_name: ...}",
        ),
        (
            YAML.format("tests: [above]"),
            ":5: the test 'above' (transforms/macros/tests.sql:1) wants 'least'\n"
            "    allowed: column_name, least, strictly",
        ),
        (
            YAML.format("tests: [{above: {least: 1, strict: true}}]"),
            ":5: the test 'above' (transforms/macros/tests.sql:1) takes no 'strict'\n"
            "    allowed: column_name, least, strictly\n    next: did you mean 'strictly'?",
        ),
        (
            "models: [{name: recipients, config: {materialized: vew}}]",
            ":1: materialized of 'recipients' is 'vew'\n    allowed: table, view, incremental, ephemeral\n"
            "    next: did you mean 'view'?",
        ),
        (
            "models: [{name: recipients, columns: [{name: a}, {name: A}]}]",
            ":1: the column 'A' of 'recipients' stands twice, first at transforms/about.yml:1",
        ),
        (
            "seeds: [{name: people, config: {column_types: {idd: INTEGER}}}]",
            ":1: column_types names 'idd', which transforms/seeds/people.csv does not have\n    allowed: id, name\n"
            "    next: did you mean 'id'?",
        ),
        (
            "seeds: [{name: people, config: {column_types: {id: INTEGR}}}]",
            ":1: the type of 'id' of the seed 'people': Catalog Error: Type with name INTEGR does not exist!",
        ),
        (
            "seeds: [{name: people, config: {materialized: view}}]",
            ":1: the seed 'people' is always a table: 'materialized' cannot be set\n    next: remove it",
        ),
        (
            "models: [{name: recipients, config: {tags: \"{{ vaar('x') }}\"}}]",
            ":1: the name 'vaar' is not known in this Jinja expression\n    allowed: var, env_var\n"
            "    next: did you mean 'var'?",
        ),
    ],
)
def test_a_fault_of_the_yaml(tmp_path: Path, text: str, message: str) -> None:
    macros = "{% test above(model, column_name, least, strictly=false) %}select 1{% endtest %}"
    files = {**GOOD, "seeds/people.csv": "id,name\n1,x\n", "about.yml": text, "macros/tests.sql": macros}
    assert faults(tmp_path, files) == [f"transforms/about.yml{message}"]


def test_all_faults_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        {
            "staging/a.sql": "select {{ nope }}",
            "staging/b.sql": "select from where",
            "staging/c.sql": "select * from {{ ref('d') }}",
            "staging/e.sql": "{{ config(materialized='x') }} select 1 as x",
            "staging/f.sql": "select * from {{ ref('g') }}",
            "staging/g.sql": "select * from {{ ref('f') }}",
            "macros/m.sql": "{% macro %}",
            "x.yml": "models: [{name: z}]",
            "y.yml": "models: [{name: a",
        },
    )
    assert [fault.split(":")[0] for fault in found] == [
        "transforms/macros/m.sql",
        "transforms/staging/a.sql",
        "transforms/staging/b.sql",
        "transforms/staging/c.sql",
        "transforms/staging/e.sql",
        "transforms/staging/f.sql",
        "transforms/x.yml",
        "transforms/y.yml",
    ]


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    project = make(tmp_path, GOOD)
    (tmp_path / "transforms" / "staging" / "bad.sql").write_bytes(b"select '\xff'")
    (tmp_path / "transforms" / "seeds").mkdir()
    (tmp_path / "transforms" / "seeds" / "bad2.csv").write_bytes(b"a\xff\n")
    with pytest.raises(ConfigurationError) as caught:
        load_models(project)
    assert [str(fault) for fault in caught.value.faults] == [
        "transforms/seeds/bad2.csv:1: the CSV file cannot be read (it is not UTF-8)",
        "transforms/staging/bad.sql: the file is not UTF-8\n    next: save it as UTF-8",
    ]


def test_a_project_without_the_folder(tmp_path: Path) -> None:
    project = make(tmp_path, {})
    with pytest.raises(ConfigurationError, match="has no folder transforms/"):
        load_models(project)


@pytest.mark.parametrize(
    "sql",
    [
        "from {{ ref('stg_contact') }} select list_transform([1], lambda x: x + 1) as l",
        "pivot {{ ref('stg_contact') }} on email using count(*)",
        "values (1), (2)",
        "(select 1 as x) union by name (select 2 as y)",
        "with recursive r as (select 1 as n union all select n + 1 from r where n < 3) select * from r",
        "select * exclude (id) replace (upper(email) as email) from {{ ref('stg_contact') }} qualify true",
        "select ';' as semicolon -- ;",
        "select $x$ -- ; $x$ as text /* ; */",
    ],
)
def test_what_duckdb_takes_is_taken(tmp_path: Path, sql: str) -> None:
    assert "a" in graph(tmp_path, {**GOOD, "campaign/a.sql": sql})
