// Bundles the front end into ../static/app, with the licence of every library that is in it.
//
//   node build.mjs           the files that are served and shipped
//   node build.mjs --test    bundles the unit tests and runs them with node's own runner
//
// The layout runs in a worker: a file of its own where the page's policy allows only files of the
// service, and as text inside the bundles that must stand alone (notebook, exported page).
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, "..", "static", "app");
const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
};

/** Resolves `text:FILE` to the bundled FILE as a string. */
const asText = {
  name: "as-text",
  setup(build) {
    build.onResolve({ filter: /^text:/ }, (args) => ({
      path: path.resolve(args.resolveDir, args.path.slice("text:".length)),
      namespace: "as-text",
    }));
    build.onLoad({ filter: /.*/, namespace: "as-text" }, async (args) => {
      const format = args.path.endsWith(".css") ? {} : { format: "iife" };
      const inner = await esbuild.build({ ...common, ...format, entryPoints: [args.path], write: false });
      return { contents: inner.outputFiles[0].text, loader: "text", watchFiles: [args.path] };
    });
  },
};

async function bundle() {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const shared = { ...common, plugins: [asText], outdir: out };
  const pages = await esbuild.build({
    ...shared,
    entryPoints: {
      explorer: "src/explorer/main.tsx",
      editor: "src/editor/main.tsx",
      layout: "src/graph/layout.worker.ts",
      app: "src/styles/app.css",
    },
    splitting: true,
    chunkNames: "chunk-[hash]",
  });
  // The notebook's module and the exported page's script are one file each.
  const alone = await esbuild.build({ ...shared, entryPoints: { widget: "src/widget/widget.tsx" } });
  const page = await esbuild.build({
    ...shared,
    format: "iife",
    entryPoints: { standalone: "src/widget/standalone.tsx", view: "src/styles/view.css" },
  });
  await writeFile(path.join(out, "LICENSES.txt"), await licences([pages, alone, page]));
}

/** Returns the licences of every package whose files went into the bundles. */
async function licences(results) {
  const inputs = results.flatMap((result) => Object.keys(result.metafile.inputs));
  // What a text bundle holds is not in the metafile: the worker's libraries are those of layout.js.
  const names = new Set(
    inputs.flatMap((file) => file.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1] ?? []),
  );
  const parts = await Promise.all([...names].sort().map(licenceOf));
  return `The files beside this one contain the following libraries.\n\n${parts.join("\n")}`;
}

async function licenceOf(name) {
  const folder = path.join(here, "node_modules", name);
  const manifest = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined && manifest.license !== "MIT") throw new Error(`${name} comes without its licence`);
  const text = file ? await readFile(path.join(folder, file), "utf8") : mitOf(manifest);
  return `${"-".repeat(79)}\n${name} ${manifest.version} (${manifest.license})\n\n${text.trim()}\n`;
}

function mitOf(manifest) {
  const author = typeof manifest.author === "string" ? manifest.author : manifest.author?.name;
  return `Copyright (c) ${author ?? `the authors of ${manifest.name}`}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
}

async function test() {
  const folder = path.join(here, "node_modules", ".tests");
  await rm(folder, { recursive: true, force: true });
  const tests = (await readdir(path.join(here, "tests"))).filter((file) => /\.test\.tsx?$/.test(file));
  await esbuild.build({
    ...common,
    minify: false,
    platform: "node",
    plugins: [asText],
    sourcemap: "inline",
    entryPoints: tests.map((file) => path.join("tests", file)),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
  });
  const built = tests.map((file) => path.join(folder, file.replace(/\.tsx?$/, ".mjs")));
  const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", "--test-reporter=dot", ...built], { stdio: "inherit" });
  process.exitCode = run.status ?? 1;
}

await (process.argv.includes("--test") ? test() : bundle());
