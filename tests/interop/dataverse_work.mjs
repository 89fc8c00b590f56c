// What the npm package dynamics-web-api is put to do: prints its result as JSON.
import { DynamicsWebApi } from "dynamics-web-api";

const api = new DynamicsWebApi({
  serverUrl: process.env.URL_HTTP,
  dataApi: { version: "9.2" },
  onTokenRefresh: async () => process.env.TOKEN,
});
const rows = 2000;

const found = {};
found.me = (await api.callFunction("WhoAmI")).UserId;

// One by one, with a token that says what changed meanwhile.
const tracked = await api.retrieveMultiple({ collection: "leads", select: ["lastname"], trackChanges: true });
found.deltaLink = Boolean(tracked.oDataDeltaLink);
const id = await api.create({ collection: "leads", data: { lastname: "Größe", subject: "“quoted”" } });
found.created = id;
found.updated = await api.update({ collection: "leads", key: id, data: { jobtitle: "Buyer" } });
found.missing = await api.update({
  collection: "leads", key: "00000000-0000-0000-0000-000000000001", data: { jobtitle: "x" },
}).catch((error) => error.status);
const read = await api.retrieve({ collection: "leads", key: id, select: ["lastname", "subject"], includeAnnotations: "*" });
found.read = [read.lastname, read.subject];
found.stale = await api.update({
  collection: "leads", key: id, data: { jobtitle: "y" }, ifmatch: 'W/"1"',
});
found.upserted = await api.upsert({
  collection: "leads", key: "new_membernumber='DWA-1'", data: { lastname: "Keyed" },
}).then(() => true);

// A batch of creates, a change set that refers to its own rows, and one that breaks.
for (let start = 0; start < rows; start += 500) {
  api.startBatch();
  for (let place = start; place < start + 500; place += 1) {
    api.create({ collection: "contacts", data: { lastname: `Node ${place}`, numberofchildren: place % 3 } });
  }
  const made = await api.executeBatch();
  found.batched = (found.batched ?? 0) + made.filter((one) => typeof one === "string").length;
}
api.startBatch();
api.create({ collection: "accounts", data: { name: "Node" }, contentId: "1" });
api.create({ collection: "contacts", data: { lastname: "Bound", "parentcustomerid_account@odata.bind": "$1" } });
await api.executeBatch();
api.startBatch();
api.create({ collection: "contacts", data: { lastname: "Undone" } });
api.create({ collection: "contacts", data: { lastname: "x".repeat(51) } });
found.broken = await api.executeBatch().then(() => "kept", (error) => (Array.isArray(error) ? error.length : 1));

// Reading it all: pages, a long filter that the client sends as a batch, counts, FetchXML.
const all = await api.retrieveAll({ collection: "contacts", select: ["lastname"], maxPageSize: 700 });
found.all = all.value.length;
const names = Array.from({ length: 120 }, (_, place) => `lastname eq 'Node ${place}'`).join(" or ");
const long = await api.retrieveMultiple({ collection: "contacts", select: ["lastname"], filter: names });
found.long = long.value.length;
found.count = await api.count({ collection: "contacts", filter: "numberofchildren eq 2" });
const fetched = await api.fetchAll({
  collection: "contacts",
  fetchXml: "<fetch count='600'><entity name='contact'><attribute name='lastname'/></entity></fetch>",
  includeAnnotations: "*",
});
found.fetched = fetched.value.length;
const expanded = await api.retrieveMultiple({
  collection: "contacts", select: ["lastname"], filter: "lastname eq 'Bound'",
  expand: [{ property: "parentcustomerid_account", select: ["name"] }],
});
found.expanded = expanded.value[0].parentcustomerid_account.name;
const total = await api.callFunction({ name: "RetrieveTotalRecordCount", parameters: { EntityNames: ["contact"] } });
found.total = total.EntityRecordCountCollection.Values[0];
const kinds = await api.retrieveAttributes({
  entityKey: "LogicalName='contact'", castType: "Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
  select: ["LogicalName"], expand: [{ property: "OptionSet", select: ["Options"] }],
});
found.choices = kinds.value.find((one) => one.LogicalName === "gendercode").OptionSet.Options.length;
found.deleted = await api.deleteRecord({ collection: "leads", key: id }).then(() => true);
const changed = await api.retrieveMultiple({ collection: "leads" }, tracked.oDataDeltaLink);
found.changes = changed.value.map((one) => one.reason ?? one.lastname);

console.log(JSON.stringify(found));
