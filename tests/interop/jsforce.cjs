// jsforce at work against the simulated org: what the tests ask for on the command line, the outcome as JSON on stdout.
// node jsforce.cjs <verb> <address> <access token or user name> [more]
"use strict";
const fs = require("node:fs");
const jsforce = require(process.env.JSFORCE);

const [verb, address, who, ...more] = process.argv.slice(2);
const signedIn = () => new jsforce.Connection({ instanceUrl: address, accessToken: who, version: "64.0" });
const lines = (path) => JSON.parse(fs.readFileSync(path, "utf-8"));

const verbs = {
  async login(password) {
    const conn = new jsforce.Connection({ loginUrl: address, version: "64.0" });
    const user = await conn.login(who, password);
    const identity = await conn.identity();
    return { user, identity, rows: (await conn.query("SELECT Id FROM Organization")).totalSize };
  },
  async refresh(clientId, clientSecret, refreshToken) {
    const oauth2 = { loginUrl: address, clientId, clientSecret };
    const conn = new jsforce.Connection({ oauth2, instanceUrl: address, accessToken: "dead", refreshToken });
    let renewed = 0;
    conn.on("refresh", () => { renewed += 1; });
    return { rows: (await conn.query("SELECT Id FROM Organization")).totalSize, renewed };
  },
  async queries() {
    const conn = signedIn();
    const records = [];
    const done = conn.query("SELECT Id, LastName, Account.Name FROM Contact")
      .on("record", (row) => records.push(row));
    await done.run({ autoFetch: true, maxFetch: 100000 });
    const first = await conn.query("SELECT Id FROM Contact");
    const second = await conn.queryMore(first.nextRecordsUrl);
    const found = await conn.sobject("Contact").find({ LastName: { $like: "%" } }, "Id, Email").limit(5).sort("-Email").execute();
    const count = await conn.sobject("Contact").count();
    return { records: records.length, total: first.totalSize, second: second.records.length, found: found.length, count };
  },
  async records() {
    const conn = signedIn();
    const contact = conn.sobject("Contact");
    const many = Array.from({ length: 450 }, (_, place) => ({ LastName: `J${place}`, Member_Number__c: `J${place}` }));
    const created = await contact.create(many, { allowRecursive: true });
    const ids = created.map((one) => one.id);
    const updated = await contact.update(ids.map((Id) => ({ Id, Title: "T" })), { allowRecursive: true });
    const changed = many.slice(0, 150).map((one) => ({ ...one, Title: "U" })).concat([{ Member_Number__c: "new", LastName: "N" }]);
    const upserted = await contact.upsert(changed, "Member_Number__c", { allowRecursive: true });
    const one = await contact.retrieve(ids[0]);
    const several = await contact.retrieve(ids.slice(0, 3));
    const removed = await contact.destroy(ids.slice(0, 250), { allowRecursive: true });
    const end = new Date(Date.now() + 120000);
    const start = new Date(Date.now() - 3600000);
    return {
      created: created.filter((r) => r.success).length,
      updated: updated.filter((r) => r.success).length,
      upserted: upserted.filter((r) => r.created).length,
      one: one.Title,
      several: several.map((r) => r.LastName),
      removed: removed.filter((r) => r.success).length,
      listed: (await contact.deleted(start, end)).deletedRecords.length,
      live: (await contact.updated(start, end)).ids.length,
      fields: (await contact.describe()).fields.length,
      objects: (await conn.describeGlobal()).sobjects.length,
      limits: (await conn.limits()).DailyApiRequests.Max,
      versions: (await conn.request("/services/data")).length,
    };
  },
  async refused() {
    const conn = signedIn();
    const out = {};
    const noted = async (name, made) => { try { await made; out[name] = null; } catch (error) { out[name] = error.errorCode || error.name; } };
    await noted("field", conn.query("SELECT Nope FROM Contact"));
    await noted("required", conn.sobject("Contact").create({ FirstName: "x" }));
    await noted("record", conn.sobject("Contact").retrieve("003Ks0000000zzz"));
    await noted("object", conn.sobject("Nope").describe());
    return out;
  },
  async bulk(path) {
    const conn = signedIn();
    conn.bulk.pollInterval = 50;
    conn.bulk.pollTimeout = 60000;
    const results = await conn.bulk.load("Contact", "update", lines(path));
    const rows = [];
    const stream = await conn.bulk.query("SELECT Id, Title FROM Contact");
    await new Promise((resolve, reject) => stream.on("record", (row) => rows.push(row)).on("end", resolve).on("error", reject));
    return { good: results.filter((r) => r.success).length, rows: rows.length, titles: [...new Set(rows.map((r) => r.Title))] };
  },
  async bulk2(path) {
    const conn = signedIn();
    conn.bulk2.pollInterval = 50;
    conn.bulk2.pollTimeout = 60000;
    const results = await conn.bulk2.loadAndWaitForResults({
      object: "Contact", operation: "upsert", externalIdFieldName: "Member_Number__c", input: lines(path),
    });
    const stream = await conn.bulk2.query("SELECT Id, Title FROM Contact");
    const rows = await stream.toArray();
    return {
      good: results.successfulResults.length, failed: results.failedResults, unprocessed: results.unprocessedRecords.length,
      rows: rows.length, titles: [...new Set(rows.map((r) => r.Title))],
    };
  },
};

verbs[verb](...more).then(
  (out) => { process.stdout.write(JSON.stringify(out)); },
  (error) => { process.stderr.write(`${error.stack}\n`); process.exitCode = 1; },
);
