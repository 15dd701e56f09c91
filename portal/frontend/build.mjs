// Bundle the style sheet, fonts and scripts into content-hashed, pre-compressed files with a manifest.
// Usage: node build.mjs SOURCE NODE_MODULES OUT
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [source, modules, out] = process.argv.slice(2).map((place) => path.resolve(place));
const esbuild = createRequire(path.join(modules, "_"))("esbuild");

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

// Paper is white whatever the screen prefers.
const darkOnScreenOnly = {
  name: "dark on screen only",
  setup(build) {
    build.onLoad({ filter: /theme[\\/]hai-long\.css$/ }, async ({ path: file }) => {
      const text = await readFile(file, "utf8");
      return { contents: text.replaceAll("@media (prefers-color-scheme", "@media screen and (prefers-color-scheme"), loader: "css" };
    });
  },
};

const result = await esbuild.build({
  entryPoints: ["site.css", "walk.js", "work.js", "solve.js", "live.js", "history.js", "wall.js", "kiosk.js", "kiosk-offline.js", "kiosk-worker.js", "mark.svg"].map((name) => path.join(source, name)),
  outdir: out,
  bundle: true,
  minify: true,
  metafile: true,
  format: "esm",
  target: ["es2020", "chrome100", "firefox102", "safari15.4"],
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file", ".svg": "copy" },
  nodePaths: [modules],
  plugins: [darkOnScreenOnly],
  legalComments: "none",
  logLevel: "warning",
});

const manifest = {};
for (const [file, output] of Object.entries(result.metafile.outputs)) {
  const origin = output.entryPoint ?? Object.keys(output.inputs)[0];
  manifest[path.basename(origin)] = path.basename(file);
}
await writeFile(path.join(out, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");

for (const name of await readdir(out)) {
  if (!/\.(css|js|svg)$/.test(name)) continue;
  const content = await readFile(path.join(out, name));
  await writeFile(path.join(out, `${name}.gz`), gzipSync(content, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  await writeFile(path.join(out, `${name}.br`), brotliCompressSync(content, { params }));
}
