"""A project as a whole: what is read, what the defaults are, what folders and settings may look like."""

from __future__ import annotations

import os
import re
import textwrap
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from backhaul.config import (
    DeleteStep,
    ExportStep,
    ImportDeletedStep,
    ImportStep,
    JwtBearer,
    MapConfig,
    Project,
    SalesforceAccount,
    TestStep,
    TransformStep,
    WarehouseConfig,
    check_project,
    load_project,
)
from backhaul.errors import ConfigurationError, Where
from backhaul.record import Condition, Group

from .projects import ENVIRON, write


def load(folder: Path, **options: object) -> Project:
    return load_project(folder, environ=ENVIRON, **options)  # type: ignore[arg-type]  # options vary by test


def faults(folder: Path, **options: object) -> list[str]:
    return [str(fault) for fault in check_project(folder, environ=ENVIRON, **options)]  # type: ignore[arg-type]


def test_a_sound_project_is_read_whole(tmp_path: Path) -> None:
    project = load(write(tmp_path))

    assert project.name == "shop"
    assert project.folder == tmp_path
    assert project.profile.name == "demo"
    assert project.profile.file == Path("profiles/demo.yml")
    account = project.profile.accounts["salesforce"]
    assert isinstance(account, SalesforceAccount)
    assert (account.name, account.api_version, account.instance_url) == (
        "salesforce",
        "67.0",
        "https://example.my.salesforce.com",
    )
    contact = project.sources["salesforce"].objects["Contact"]
    assert [(field.name, field.convert) for field in contact.fields][2:4] == [
        ("Email", "default"),
        ("Birthdate", "date_only"),
    ]
    assert contact.overlap == timedelta(hours=1, minutes=30)
    assert contact.order_by == [("LastName", False), ("CreatedDate", True)]
    assert contact.filter == Group(
        True,
        (
            Condition("Email", "is_not_null"),
            Group(False, (Condition("Revenue", "gt", 100000), Condition("Rating", "in", ("Hot", "Warm")))),
            Condition("CreatedDate", "ge", date(2024, 1, 1)),
        ),
    )
    assert project.sources["salesforce"].objects["Lead"].overlap == timedelta(minutes=10)


def test_the_steps_of_a_pipeline(tmp_path: Path) -> None:
    pipeline = load(write(tmp_path)).pipelines["contacts"]
    steps = pipeline.steps

    assert pipeline.schedule == "*/15 * * * *"
    assert [step.name for step in steps] == [
        "import_salesforce_Contact",
        "import_dynamics_contact",
        "import_deleted_salesforce_Contact",
        "enumerations_salesforce_Lead",
        "transform__campaign",
        "test_campaign_tag_nightly",
        "export_salesforce_Contact",
        "delete_salesforce_Lead",
    ]
    first, second, deleted, _, transform, test, export, delete = steps
    assert isinstance(first, ImportStep) and first.option_name == "LASTIMPORT_shop_import_salesforce_Contact"
    assert isinstance(second, ImportStep) and second.option_name == "DYNAMICS_SINCE"
    assert isinstance(deleted, ImportDeletedStep) and deleted.end == "2024-05-01"
    assert deleted.start == "{{ steps.import_salesforce_Contact.start }}"
    assert isinstance(transform, TransformStep) and transform.select == ["+campaign"]
    assert isinstance(test, TestStep) and test.select == ["campaign", "tag:nightly"]
    assert isinstance(export, ExportStep) and export.model == "export_salesforce_contact"
    assert export.map["Score__c"].column == "score"
    assert export.map["OptOut__c"].only_tighten
    assert (export.nulls_of("Score__c"), export.nulls_of("Open__c")) == ("leave", "clear")
    assert export.guards.max_rows == 500
    assert export.rejects.retry.wait == timedelta(minutes=10)
    assert isinstance(delete, DeleteStep) and delete.guards.max_deletes == 500


def test_everything_knows_its_place(tmp_path: Path) -> None:
    project = load(write(tmp_path))
    contact = project.sources["salesforce"].objects["Contact"]
    export = project.pipelines["contacts"].steps[6]

    assert contact.place("cursor") == Where("sources/salesforce.yml", 5, 5)
    assert contact.fields[1].where == Where("sources/salesforce.yml", 4, 25)
    assert isinstance(export, ExportStep)
    assert export.where == Where("pipelines/contacts.yml", 12, 5)
    assert export.map["Score__c"].where == Where("pipelines/contacts.yml", 17, 17)
    assert export.guards.place("max_share").line == 21


def test_types_can_be_made_in_python_without_a_file() -> None:
    step = ImportStep(account="salesforce", object="Contact")
    mapped = MapConfig(column="score")

    assert step.name == "import_salesforce_Contact"
    assert step.where == Where("")
    assert (mapped.convert, mapped.nulls) == ("default", None)


def test_steps_are_rendered_at_run_time(tmp_path: Path) -> None:
    project = load(write(tmp_path))
    text = "{{ steps.import_salesforce_Contact.start }}"
    start = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
    context = {"steps": {"import_salesforce_Contact": {"start": start}}}

    assert project.moment(text, context) == start
    assert project.moment("2024/02/03 04:05:06") == start
    assert project.moment(text, {"steps": {"import_salesforce_Contact": {"start": None}}}) is None
    assert project.moment(None) is None
    assert project.render("since {{ var('ceiling') }} in {{ env_var('SF_ID') }}") == "since 500 in the-client-id"
    for wrong in ("{{ steps.other.start }}", "{{ steps", "{{ var('x') }}", "{{ 1 / 0 }}"):
        with pytest.raises(ConfigurationError):
            project.render(wrong, context, where=Where("f", 1))
    with pytest.raises(ConfigurationError, match="wants to be a date"):
        project.moment("{{ steps.a }}", {"steps": {"a": "soon"}})


def test_the_command_line_overrides_the_projects_variables(tmp_path: Path) -> None:
    write(tmp_path)

    project = load(tmp_path, variables={"ratings": ["Cold"], "ceiling": "7"})

    condition = project.sources["salesforce"].objects["Contact"].filter
    assert condition is not None and isinstance(condition.items[1], Group)
    assert condition.items[1].items[1] == Condition("Rating", "in", ("Cold",))
    export = project.pipelines["contacts"].steps[6]
    assert isinstance(export, ExportStep) and export.guards.max_rows == 7


def test_a_missing_environment_variable_is_a_fault_of_the_profile_in_use_only(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "profiles/production.yml": """
                warehouse: {path: "{{ env_var('NOT_SET') }}"}
                accounts:
                  salesforce: {crm: "{{ env_var('NOT_SET') }}"}
                  dynamics:
                    crm: dynamics
                    url: "{{ env_var('NOT_SET') }}"
                    auth: {method: client_secret, tenant_id: t, client_id: c, client_secret: "{{ env_var('NOT_SET') }}"}
            """
        },
    )

    assert load(tmp_path).profile.name == "demo"
    found = faults(tmp_path, profile="production")
    assert len(found) == 4
    assert all("'NOT_SET' is not set" in fault for fault in found)
    assert found[0].startswith("profiles/production.yml:1: ")


def test_a_profile_that_is_not_in_use_is_still_checked_for_its_shape(tmp_path: Path) -> None:
    write(tmp_path, {"profiles/other.yml": "warehouse: {}\naccounts:\n  a: {crm: salesforce, urll: x}\n"})

    found = faults(tmp_path)

    assert len(found) == 3
    assert all(fault.startswith("profiles/other.yml:3: ") for fault in found)


def test_all_faults_of_all_files_come_at_once_and_in_order(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "pyproject.toml": "[tool.backhaul]\nnam = 'x'\n",
            "sources/dynamics.yml": "a: [",
            "pipelines/contacts.yml": "steps: 5\n",
            "pipelines/other.yml": "",
        },
    )

    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path)

    places = [str(fault.where) for fault in raised.value.faults]
    assert places == sorted(places)
    assert {place.split(":")[0] for place in places} == {
        "pyproject.toml",
        "sources/dynamics.yml",
        "sources/salesforce.yml",
        "pipelines/contacts.yml",
        "pipelines/other.yml",
    }
    assert [str(fault) for fault in raised.value.faults] == faults(tmp_path)


def test_folders(tmp_path: Path) -> None:
    assert "does not exist" in faults(tmp_path / "nowhere")[0]
    assert "no backhaul project" in faults(tmp_path)[0]
    (tmp_path / "sources").mkdir()
    assert faults(tmp_path) == [
        "profiles/: the folder does not exist\n    next: make it, with the connections in demo.yml"
    ]
    (tmp_path / "profiles").mkdir()
    assert "there is no profile 'demo'" in faults(tmp_path)[0]
    (tmp_path / "profiles" / "demp.yml").write_text("warehouse: {}\naccounts: {a: {}}\n")
    assert "did you mean 'demp'?" in faults(tmp_path)[0]
    (tmp_path / "pipelines").write_text("not a folder")
    assert any("where a folder is wanted" in fault for fault in faults(tmp_path))


def test_sources_and_pipelines_may_be_missing(tmp_path: Path) -> None:
    absent = dict.fromkeys(("sources/salesforce.yml", "sources/dynamics.yml", "pipelines/contacts.yml"))

    project = load(write(tmp_path, absent))

    assert (project.sources, project.pipelines) == ({}, {})


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path, {"pipelines/latin.yml": "steps: # \xe9\n".encode("latin-1"), "pipelines/.hidden.yml": "a: ["})
    (tmp_path / "pipelines" / "folder.yml").mkdir()
    (tmp_path / "pipelines" / "gone.yml").symlink_to(tmp_path / "nowhere")
    if os.geteuid() != 0:
        (tmp_path / "pipelines" / "locked.yml").touch(mode=0)

    found = "\n".join(faults(tmp_path))

    assert "pipelines/latin.yml:1: the file is not UTF-8" in found
    assert "pipelines/folder.yml: this is a folder" in found
    assert "pipelines/gone.yml: the file does not exist" in found
    assert os.geteuid() == 0 or "pipelines/locked.yml: the file cannot be read (Permission denied)" in found
    assert "hidden" not in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.backhaul\n", "pyproject.toml:1: not valid TOML"),
        ("[tool]\nbackhaul = 5\n", "[tool.backhaul] wants a table"),
        ("[tool.backhaul]\n\nprofil = 'x'\n", "pyproject.toml:3: 'profil' is not a key of [tool.backhaul]"),
        ("[tool.backhaul]\nname = 'two words'\n", "pyproject.toml:2: 'name' wants a name"),
        ("[tool.backhaul]\nprofile = 5\n", "pyproject.toml:2: 'profile' wants the name of a profile"),
        ("[tool.backhaul]\nvars = 5\n", "pyproject.toml:2: 'vars' wants a table"),
        (b"\xff\xfe", "pyproject.toml: the file is not UTF-8"),
    ],
)
def test_faults_of_the_settings(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert any(message in fault for fault in faults(write(tmp_path, {"pyproject.toml": text})))


def test_settings_have_defaults(tmp_path: Path) -> None:
    folder = tmp_path / "my shop"
    folder.mkdir()
    write(folder, {"pyproject.toml": None})

    project = load(folder, variables={"ratings": ["Hot"], "since": "2024-01-01", "ceiling": 1})

    assert project.name == "my_shop"


def test_names_cannot_come_from_the_environment(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "pipelines/contacts.yml": """
                steps:
                  - import: "{{ env_var('TARGET') }}"
                  - transform: "{{ env_var('TARGET') }}"
                  - export: salesforce.Contact
                    from: "{{ env_var('TARGET') }}"
                    map: {Score__c: "{{ env_var('TARGET') }}"}
            """
        },
    )

    found = check_project(tmp_path, environ={**ENVIRON, "TARGET": "salesforce.Hidden"})

    assert len(found) == 4
    assert all("cannot come from env_var" in fault.message for fault in found)
    assert "Hidden" not in "".join(map(str, found))


def test_relative_paths_start_at_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write(
        tmp_path,
        {
            "keys/ca.pem": "x",
            "home/key.pem": "x",
            "profiles/demo.yml": """
                warehouse: {}
                accounts:
                  dynamics:
                    crm: dynamics
                    url: https://x
                    ca_bundle: keys/ca.pem
                    auth: {method: client_secret, tenant_id: t, client_id: c, client_secret: s}
                  salesforce:
                    crm: salesforce
                    login_url: https://login.salesforce.com
                    auth: {method: jwt_bearer, client_id: c, username: u, private_key_file: ~/key.pem}
            """,
        },
    )
    monkeypatch.chdir(tmp_path / "keys")

    project = load_project(Path(".."), environ=ENVIRON)

    accounts = project.profile.accounts
    assert accounts["dynamics"].ca_bundle is not None and accounts["dynamics"].ca_bundle.samefile(
        tmp_path / "keys/ca.pem"
    )
    assert accounts["dynamics"].ca_bundle.is_absolute()
    auth = accounts["salesforce"].auth
    assert isinstance(auth, JwtBearer) and auth.private_key_file == tmp_path / "home" / "key.pem"
    assert project.path("a/b.pem") == project.folder / "a" / "b.pem"
    assert project.path(Path("/etc/x")) == Path("/etc/x")
    assert project.state_folder.is_relative_to(project.folder / ".backhaul")


def test_the_default_warehouse_has_no_schemas_name(tmp_path: Path) -> None:
    """DuckDB cannot tell a schema from a file of the same name; nor may the example that a person copies be caught."""
    schemas = {"raw", "backhaul", "enumerations", "staging", "matching", "campaign", "export", "seeds"}
    assert Path(WarehouseConfig(destination="duckdb").path).stem not in schemas
    profiles = Path(__file__).parents[2] / "profiles"
    for file in profiles.iterdir():
        (path,) = re.findall(r"^  path: (\S+)$", file.read_text(encoding="utf-8"), re.M)
        assert Path(path).stem not in schemas, file.name


def test_every_way_of_signing_in_to_salesforce(tmp_path: Path) -> None:
    write(tmp_path)
    profile = """
    warehouse: {destination: duckdb}
    accounts:
      salesforce: {crm: salesforce, login_url: "https://login.salesforce.com", bulk_from: 500,
        auth: {method: refresh_token, client_id: key, refresh_token: first}}
      dynamics: {crm: dynamics, url: "https://acme.crm4.dynamics.com",
        auth: {method: client_secret, tenant_id: t, client_id: c, client_secret: s}}
      spoken: {crm: salesforce, login_url: "https://test.salesforce.com",
        auth: {method: password, username: ann, password: secret, security_token: token}}
      handy: {crm: salesforce, auth: {method: cli, target_org: acme}}
    """
    (tmp_path / "profiles" / "demo.yml").write_text(textwrap.dedent(profile))
    accounts = load(tmp_path).profile.accounts
    found = [account for account in accounts.values() if isinstance(account, SalesforceAccount)]
    assert [account.auth.method for account in found] == ["refresh_token", "password", "cli"]
    assert [account.bulk_from for account in found] == [500, 2000, 2000]
    assert {account.state_folder for account in found} == {tmp_path / ".backhaul"}
