// Writes client/src/generated from openapi.json; with --check it only looks, and exits 1 if stale.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import openapiTypescript, { astToString } from "openapi-typescript";

const source = new URL("../../openapi.json", import.meta.url);
const target = new URL("../client/src/generated/", import.meta.url);
const note = "// Made from openapi.json by `npm run generate`. Do not edit.\n";

async function generated() {
  const document = JSON.parse(readFileSync(source, "utf8"));
  // `params = {}` on a request is something to leave out, not something to send.
  const types = astToString(await openapiTypescript(document, { defaultNonNullable: false }));
  return { "openapi.ts": `${note}${types}`, "names.ts": names(document) };
}

/** What the document says beside OpenAPI's own words: the stages of each type, the codes of problems. */
function names(document) {
  const stages = Object.entries(document["x-generation-types"])
    .map(([type, { stages }]) => `  ${type}: ${JSON.stringify(stages)},`)
    .join("\n");
  const problems = Object.entries(document["x-problems"])
    .map(([code, { status, title }]) => `  /** ${title} */\n  ${code}: ${status};`)
    .join("\n");
  return `${note}
/** The stages that a task of each built-in type can show, in the order of its way. */
export const STAGES = {
${stages}
} as const;

/** Every code of a problem, with its HTTP status. */
export interface Problems {
${problems}
}
`;
}

function current(file) {
  try {
    return readFileSync(new URL(file, target), "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

const stale = Object.entries(await generated()).filter(([file, text]) => current(file) !== text);
if (process.argv.includes("--check")) {
  for (const [file] of stale)
    console.error(`client/src/generated/${file} is stale: run npm run generate`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  mkdirSync(target, { recursive: true });
  for (const [file, text] of stale) {
    writeFileSync(new URL(file, target), text);
    console.log(`wrote client/src/generated/${file}`);
  }
}
