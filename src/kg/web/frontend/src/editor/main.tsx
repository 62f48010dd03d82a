// The SPARQL editor: a query, its result, and an address that brings both back.

import { render, type JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, ProblemError } from "../api.ts";
import { Bar } from "../explorer/bar.tsx";
import { editorAddress, queryIn } from "../explorer/route.ts";
import { makeField, type Field } from "./field.ts";
import { Results } from "./results.tsx";
import { run, type Result } from "./running.ts";

interface Example {
  summary: string;
  text: string;
}

const FIRST = "SELECT ?barrier ?theme WHERE {\n  ?barrier pev:blocks ?theme .\n} ORDER BY ?theme LIMIT 50\n";

/** The page as it was served lists the questions with their text. */
function examplesOn(page: HTMLElement): Example[] {
  return [...page.querySelectorAll("details")].map((details) => ({
    summary: details.querySelector("summary")?.textContent ?? "",
    text: details.querySelector("pre")?.textContent ?? "",
  }));
}

function Editor({ examples, first }: { examples: readonly Example[]; first: string }): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const field = useRef<Field | null>(null);
  const running = useRef<AbortController | null>(null);
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<{ result: Result; query: string } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [release, setRelease] = useState("");
  const ask = async (): Promise<void> => {
    if (!field.current) return;
    running.current?.abort();
    const abort = (running.current = new AbortController());
    const query = field.current.text();
    setBusy(true);
    setProblem(null);
    field.current.mark();
    try {
      setResult({ result: await run(query, abort.signal), query });
    } catch (error) {
      if (abort.signal.aborted) return;
      setResult(null);
      setProblem(explained(error));
      const found = error instanceof ProblemError ? error.problem : null;
      if (found?.line) field.current.mark({ line: found.line, column: found.column ?? 1, message: found.detail });
    } finally {
      if (running.current === abort) setBusy(false);
    }
  };
  useEffect(() => {
    if (!host.current) return;
    field.current = makeField(host.current, first, () => void ask(), keep);
    if (queryIn(location)) void ask();
    get<{ release: string }>("/api/release").then(
      (found) => setRelease(found.release),
      () => undefined,
    );
  }, []);
  const take = (text: string): void => {
    field.current?.write(text);
    void ask();
  };
  return (
    <div class="editor-page">
      <section class="card">
        <div class="view-head">
          <h1>SPARQL</h1>
          <div class="actions">
            {examples.length > 0 && <Examples examples={examples} take={take} />}
            <button type="button" onClick={() => void navigator.clipboard.writeText(location.href)}>
              Copy link
            </button>
            {busy ? (
              <button type="button" onClick={() => (running.current?.abort(), setBusy(false))}>
                Stop
              </button>
            ) : null}
            <button type="button" class="primary" onClick={() => void ask()} title="Ctrl+Enter">
              Run
            </button>
          </div>
        </div>
        <div class="query-field" ref={host} />
        <p class="quiet">
          The graph's prefixes are known without being declared. <kbd>Ctrl</kbd>+<kbd>Space</kbd> completes, <kbd>Ctrl</kbd>+<kbd>Enter</kbd> runs.
        </p>
        {problem && (
          <p class="failed" role="alert">
            {problem}
          </p>
        )}
        {busy && <p class="quiet loading">Running…</p>}
      </section>
      {result && <Results key={result.query} {...result} release={release} />}
    </div>
  );
}

function Examples({ examples, take }: { examples: readonly Example[]; take: (text: string) => void }): JSX.Element {
  return (
    <select
      aria-label="Examples"
      value=""
      onChange={(event) => {
        const example = examples[Number(event.currentTarget.value)];
        event.currentTarget.value = "";
        if (example) take(example.text);
      }}
    >
      <option value="">Examples…</option>
      {examples.map(({ summary }, i) => (
        <option key={i} value={String(i)}>
          {summary}
        </option>
      ))}
    </select>
  );
}

/** Says what went wrong; a grammar's list of all that could have stood there helps nobody. */
function explained(error: unknown): string {
  if (!(error instanceof ProblemError)) return error instanceof Error ? error.message : String(error);
  const { detail, line, column, limit } = error.problem;
  if (line) {
    const expected = /expected one of (.*)/s.exec(detail)?.[1];
    if (!expected) return detail;
    const tokens = [...expected.matchAll(/"((?:[^"\\]|\\.)+)"/g)].map((match) => match[1]?.replaceAll("\\", "")).slice(0, 12);
    return `Line ${line}, column ${column}: something else was expected here, such as ${tokens.join("  ")}`;
  }
  return limit ? `${detail} The limit is ${limit}; ask for less, for instance with LIMIT.` : detail;
}

function keep(text: string): void {
  history.replaceState(null, "", editorAddress(text));
}

/** Returns the head of the page: the explorer's; of a plain dataset, which has no views to go to, its own. */
function headOf(page: HTMLElement): Element | null {
  const own = page.querySelector("header");
  if (!own?.querySelector("a[href='/ns']")) return own;
  const head = document.createElement("div");
  render(<Bar view="sparql" />, head);
  return head;
}

const root = document.getElementById("editor");
if (root) {
  const examples = examplesOn(root);
  const first = queryIn(location) ?? FIRST;
  const header = headOf(root);
  const footer = root.querySelector("footer");
  const main = document.createElement("main");
  main.id = "main";
  root.replaceChildren(...(header ? [header] : []), main, ...(footer ? [footer] : []));
  root.className = "explorer";
  document.body.classList.add("app");
  render(<Editor {...{ examples, first }} />, main);
}
