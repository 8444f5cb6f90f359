// Fails where the SDK that a node serves is larger than it may be. Run after a build.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const MAX_BYTES = 60_000;

const source = readFileSync(new URL("../../src/heliograph/server/static/sdk/heliograph.js", import.meta.url));
const size = gzipSync(source, { level: 9 }).length;
console.log(`heliograph.js: ${source.length} bytes, ${size} bytes with gzip, at most ${MAX_BYTES}`);
if (size > MAX_BYTES) process.exitCode = 1;
