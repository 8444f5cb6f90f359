// Builds the pages: a script each and one style sheet, beside the files of public/. The SDK stays outside: sign-in and
// phone load the module that the node serves.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

const servedSdk = {
  name: "served-sdk",
  setup(plugins) {
    plugins.onResolve({ filter: /^heliograph$/ }, () => ({ path: "/sdk/heliograph.js", external: true }));
  },
};

/** The folder is built anew: what is not made any more is not there any more. */
export async function buildPages({ outDir }) {
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  await cp(join(here, "public"), outDir, { recursive: true });
  await build({
    absWorkingDir: here,
    entryPoints: {
      signin: "src/signin/main.ts",
      phone: "src/phone/main.ts",
      admin: "src/admin/main.ts",
      style: "src/style/main.css",
    },
    outdir: outDir,
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    sourcemap: true,
    legalComments: "none",
    plugins: [servedSdk],
  });
  const licence = await readFile(join(here, "..", "node_modules", "qr-scanner", "LICENSE"), "utf8");
  await writeFile(join(outDir, "THIRD_PARTY_LICENSES.txt"), `qr-scanner (with jsQR, Apache-2.0)\n\n${licence}`);
}
