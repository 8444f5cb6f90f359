// Builds the SDK: `dist/` for npm, and the file that a node serves at /sdk/heliograph.js. Builds the pages, too, once
// they are there. `node build.mjs`, or `make web` at the root.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const web = dirname(fileURLToPath(import.meta.url));
const dist = join(web, "dist");
const served = join(web, "..", "src", "heliograph", "server", "static");

/** Strophe puts seven names of its own on `globalThis`; a page may have a Strophe of its own there. */
const withoutGlobals = {
  name: "strophe-without-globals",
  setup(plugins) {
    plugins.onLoad({ filter: /strophe\.esm\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const contents = source.replace(/^globalThis\.[$\w]+ = [$\w.]+;$/gm, "");
      if (/globalThis\.[$\w]+ = /.test(contents)) throw new Error("strophe.js sets a global that the build does not know");
      return { contents, loader: "js" };
    });
  },
};

/** The licences of all that stands in the bundle, in one file beside it. */
async function licences(metafile) {
  const roots = Object.keys(metafile.inputs).map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  const texts = [];
  for (const name of [...new Set(roots)].filter(Boolean).sort()) {
    const folder = join(web, "node_modules", name);
    const file = (await readdir(folder)).find((each) => /^licen[cs]e/i.test(each));
    if (file === undefined) throw new Error(`${name} comes without a licence`);
    texts.push(`${name}\n\n${await readFile(join(folder, file), "utf8")}`);
  }
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

async function buildSdk() {
  await rm(dist, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: web,
    entryPoints: ["sdk/index.ts"],
    outfile: "dist/heliograph.js",
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    sourcemap: true,
    legalComments: "none",
    metafile: true,
    plugins: [withoutGlobals],
  });
  await writeFile(join(dist, "THIRD_PARTY_LICENSES.txt"), await licences(metafile));
  execFileSync(process.execPath, [join(web, "node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.types.json"], {
    cwd: web,
    stdio: "inherit",
  });
  await mkdir(join(served, "sdk"), { recursive: true });
  for (const name of ["heliograph.js", "heliograph.js.map", "THIRD_PARTY_LICENSES.txt"]) {
    await cp(join(dist, name), join(served, "sdk", name));
  }
}

async function buildPages() {
  const builder = join(web, "pages", "build.mjs");
  if (!existsSync(builder)) return;
  const pages = await import(pathToFileURL(builder).href);
  await pages.buildPages({ outDir: join(served, "pages") });
}

await buildSdk();
await buildPages();
