// Runs tests/*.test.ts with Node's own test runner: esbuild makes plain JavaScript of them first.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(web, "node_modules", ".tests");
const tests = readdirSync(join(web, "tests")).filter((name) => name.endsWith(".test.ts"));

await rm(built, { recursive: true, force: true });
await build({
  absWorkingDir: web,
  entryPoints: tests.map((name) => join("tests", name)),
  outdir: built,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  sourcemap: "inline",
  alias: { heliograph: "./sdk/index.ts" },
});
const files = tests.map((name) => join(built, name.replace(/\.ts$/, ".mjs")));
const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", "--test-timeout=30000", ...process.argv.slice(2), ...files], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
