const { createHmac } = require("node:crypto");
const fs = require("node:fs");

const text = (name) =>
  fs.readFileSync(name, "utf8").trim();
const key = Buffer.from(text("ledger.key"), "hex");
const lines = text("suppressed.txt").split("\n");
const said = (name) => lines
  .find((line) => line.startsWith(`# ${name}: `))
  ?.split(": ")[1];
const suppressed =
  new Set(lines.filter((line) => line[0] !== "#"));

const keyed = (data) =>
  createHmac("sha256", key).update(data).digest("hex");

if (said("dsr suppressions") !== "format 1")
  throw new Error("not a suppression list in format 1");
if (said("key") !==
    keyed("dsr ledger key\0fingerprint").slice(0, 16))
  throw new Error("the list has another key");
if (said("people") !== String(suppressed.size))
  throw new Error("the list was cut off");

const mayTrack = (distinctId) =>
  !suppressed.has(keyed(String(distinctId)).slice(0, 32));
