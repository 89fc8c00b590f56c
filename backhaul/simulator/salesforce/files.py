"""Files: what the service makes of a new ContentVersion, its document and the link to the record it was published at.

Rests on the object reference's "ContentVersion" and "ContentDocumentLink".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from backhaul.simulator.salesforce import ids
from backhaul.simulator.store import one_of

if TYPE_CHECKING:
    from backhaul.simulator.salesforce.org import SalesforceOrg


def publish(org: SalesforceOrg, rows: Sequence[dict[str, Any]], user: str) -> None:
    """Give each new version in `rows` (as it will be stored) its document: a new one, or the one that it names, of
    which it becomes the latest."""
    documents, links, newer = org.objects["contentdocument"], org.objects["contentdocumentlink"], []
    for row in rows:
        stamps = {name: row[name] for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp")}
        row["IsLatest"] = True
        if row.get("ContentDocumentId"):
            newer.append(row["ContentDocumentId"])
            latest = {"Id": row["ContentDocumentId"], "LatestPublishedVersionId": row["Id"]}
            org.store.update(documents.name, "Id", [latest])
            continue
        row["Title"] = row.get("Title") or str(row["PathOnClient"])
        row["ContentDocumentId"] = ids.make(documents.prefix, org.store.take(f"id:{documents.prefix}"))
        document = {"Id": row["ContentDocumentId"], "Title": row["Title"], "LatestPublishedVersionId": row["Id"]}
        org.store.insert(documents.name, [{**org.defaults(documents, user), **document, **stamps}])
        for entity in {user, row.get("FirstPublishLocationId") or user}:
            link = {"ContentDocumentId": row["ContentDocumentId"], "LinkedEntityId": entity}
            key = ids.make(links.prefix, org.store.take(f"id:{links.prefix}"))
            made = {**org.defaults(links, user), **link, "Id": key, "SystemModstamp": stamps["SystemModstamp"]}
            org.store.insert(links.name, [made])
    if newer:
        test, values = one_of('"ContentDocumentId"', newer)
        org.store.execute(f'UPDATE "ContentVersion" SET "IsLatest" = false WHERE {test}', values)
