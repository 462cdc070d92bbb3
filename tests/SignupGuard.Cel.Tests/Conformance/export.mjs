// Writes the suite, which the package carries as a JavaScript object, as JSON: node export.mjs FILE
import { writeFileSync } from "node:fs";
import { tests } from "./node_modules/@bufbuild/cel-spec/dist/esm/testdata/conformance.js";

writeFileSync(process.argv[2], JSON.stringify(tests));
