"""The simulated Salesforce org: sign-in, describe, SOQL, single records, collections, composites, both Bulk APIs.

`SalesforceOrg` is the state with its verbs, `create_app` its ASGI application; `CLIENT_ID`, `CLIENT_SECRET`,
`USERNAME`, `PASSWORD` and `SECURITY_TOKEN` are what a client signs in with (`SalesforceOrg.jwt_private_key` for the
JWT bearer flow, `CLI_CLIENT_ID` is the command line's own client, which has no secret).

    app      paths, sign-in, limits, JSON and gzip                                  (the wire)
    oauth soap query records sobject_collections composite                          (a request in, a reply out)
    bulk_query bulk_ingest bulk_csv bulk_classic                                    (jobs and their files)
    writes rules drafts values soql soql_sql date_words describe lifecycle          (what happens to records, how they
                                                                                    are read)
    org schema standard generated ids errors wire                                   (state, and the words others share)
"""

from backhaul.simulator.salesforce.app import create_app
from backhaul.simulator.salesforce.org import (
    CLI_CLIENT_ID,
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    SECURITY_TOKEN,
    USERNAME,
    SalesforceOrg,
)

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "CLI_CLIENT_ID",
    "PASSWORD",
    "SECURITY_TOKEN",
    "USERNAME",
    "SalesforceOrg",
    "create_app",
]
