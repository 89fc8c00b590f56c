"""Project folders for the tests of the configuration."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

ENVIRON = {"SF_ID": "the-client-id", "SF_SECRET": "s3cret-of-salesforce", "DYN_SECRET": "s3cret-of-dynamics"}

SOUND: dict[str, str] = {
    "pyproject.toml": """
        [tool.backhaul]
        name = "shop"
        [tool.backhaul.vars]
        since = 2024-01-01
        ratings = ["Hot", "Warm"]
        ceiling = 500
    """,
    "profiles/demo.yml": """
        warehouse: {destination: duckdb, path: demo.duckdb}
        accounts:
          salesforce:
            crm: salesforce
            instance_url: https://example.my.salesforce.com/
            time_zone: Europe/Berlin
            auth:
              method: client_credentials
              client_id: "{{ env_var('SF_ID') }}"
              client_secret: "{{ env_var('SF_SECRET') }}"
          dynamics:
            crm: dynamics
            url: https://example.crm4.dynamics.com
            auth: {method: client_secret, tenant_id: t, client_id: c, client_secret: "{{ env_var('DYN_SECRET') }}"}
    """,
    "sources/salesforce.yml": """
        account: salesforce
        objects:
          Contact:
            fields: [FirstName, LastName, Email, {name: Birthdate, convert: date_only}, Score__c, OptOut__c, Open__c]
            cursor: SystemModstamp
            overlap: 1h30m
            filter:
              all:
                - {field: Email, is: not_null}
                - any: [{field: Revenue, gt: 100000}, {field: Rating, in: "{{ var('ratings') }}"}]
                - {field: CreatedDate, ge: "{{ var('since') }}"}
            order_by: [LastName, {CreatedDate: desc}]
          Lead: {fields: [LastName]}
    """,
    "sources/dynamics.yml": """
        account: dynamics
        objects: {contact: {fields: [lastname, new_score]}}
    """,
    "pipelines/contacts.yml": """
        schedule: "*/15 * * * *"
        steps:
          - import: salesforce.Contact
          - import: dynamics.contact
            option_name: DYNAMICS_SINCE
          - import_deleted: salesforce.Contact
            start: "{{ steps.import_salesforce_Contact.start }}"
            end: 2024-05-01
          - enumerations: salesforce.Lead
          - transform: +campaign
          - test: [campaign, tag:nightly]
          - export: salesforce.Contact
            from: export_salesforce_contact
            mode: update
            key: {Id: crm_id}
            map:
              Score__c: score
              OptOut__c: {from: opted_out, only_tighten: true}
              Open__c: {from: last_open_at, convert: without_offset, nulls: clear}
            batch: {rows: 200, parallel: 4}
            guards: {max_rows: "{{ var('ceiling') }}", max_share: 0.2, max_deletes: 100}
            rejects: {retry: {attempts: 3, wait: 10m}}
          - delete: salesforce.Lead
            from: leads_to_erase
            key: {Id: crm_id}
            guards: {max_deletes: 500}
    """,
}


def write(folder: Path, files: Mapping[str, str | bytes | None] = {}) -> Path:
    """The sound project with some files replaced (None: left out)."""
    for name, content in {**SOUND, **files}.items():
        if content is None:
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(textwrap.dedent(content).lstrip("\n"), encoding="utf-8")
    return folder
