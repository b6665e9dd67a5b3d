// Says whether a document is OpenAPI 3.1:  node validate.mjs NODE_MODULES DOCUMENT
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, document] = process.argv.slice(2);
const entry = createRequire(modules + "/").resolve("@seriousme/openapi-schema-validator");
const { Validator } = await import(pathToFileURL(entry).href);
const validator = new Validator();
const result = await validator.validate(JSON.parse(readFileSync(document, "utf8")));
if (!result.valid || validator.version !== "3.1") {
  console.error(validator.version, JSON.stringify(result.errors, null, 1));
  process.exit(1);
}
