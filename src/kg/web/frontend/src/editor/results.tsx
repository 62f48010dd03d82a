// What a query found: as rows, as a graph, as a chart, and as it came.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ServiceSource } from "../api.ts";
import { GraphController } from "../graph/controller.ts";
import { GraphView } from "../graph/view.tsx";
import type { Picture } from "../graph/picture.ts";
import { Exports } from "../explorer/exports.tsx";
import { addressOf, makeWorker } from "../explorer/graph.tsx";
import { AnswerTable } from "../explorer/pieces.tsx";
import { tableRows } from "../explorer/views/question.tsx";
import type { Answer, Cell, Entity, Link } from "../types.ts";
import type { Result, Triple } from "./running.ts";

type Tab = "Table" | "Graph" | "Chart" | "Raw";
const MOST_NODES = 400;

type Rows = Pick<Answer, "columns" | "results" | "truncated">;

export function Results({ result, query, release }: { result: Result; query: string; release: string }): JSX.Element {
  const rows = useMemo(() => rowsOf(result), [result]);
  const iris = useMemo(() => [...irisOf(rows)], [rows]);
  const called = useLabels(iris);
  const chart = useMemo(() => chartOf(rows), [rows]);
  const tabs: Tab[] = ["Table", ...(iris.length > 0 ? (["Graph"] as const) : []), ...(chart ? (["Chart"] as const) : []), "Raw"];
  const [wanted, setTab] = useState<Tab>(result.kind === "triples" ? "Graph" : "Table");
  const tab = tabs.includes(wanted) ? wanted : "Table";
  const drawn = useRef<HTMLDivElement>(null);
  const [board, setBoard] = useState<{ controller: GraphController; picture: Picture } | null>(null);
  if (result.kind === "truth") return <p class="truth card">{result.value ? "Yes" : "No"}</p>;
  const labelled = withLabels(rows, called);
  return (
    <section class="card sparql-results">
      <div class="view-head">
        <div class="tabs" role="tablist" aria-label="Result">
          {tabs.map((name) => (
            <button key={name} type="button" role="tab" id={`result-${name}`} aria-selected={name === tab} aria-controls="result" onClick={() => setTab(name)}>
              {name}
            </button>
          ))}
        </div>
        <p class="quiet" role="status">
          {rows.results.length} {result.kind === "triples" ? "triples" : "rows"} in {result.ms} ms
        </p>
        <Exports name="query" title="SPARQL result" release={release} sparql={query} json={JSON.parse(jsonOf(result))} rows={tableRows(rows)} {...(tab === "Graph" ? board : { drawn })} />
      </div>
      <div id="result" ref={drawn} role="tabpanel" aria-labelledby={`result-${tab}`}>
        {tab === "Table" && <AnswerTable answer={labelled} />}
        {tab === "Graph" && <ResultGraph result={result} iris={iris} ready={setBoard} />}
        {tab === "Chart" && chart && <Bars {...chart} called={called} />}
        {tab === "Raw" && (
          <pre tabIndex={0} aria-label="As it came">
            {result.text.slice(0, 200_000)}
          </pre>
        )}
      </div>
    </section>
  );
}

function jsonOf(result: Result): string {
  return result.kind === "triples" ? JSON.stringify(result.triples) : result.text;
}

function rowsOf(result: Result): Rows {
  if (result.kind === "truth") return { columns: [], results: [], truncated: false };
  if (result.kind === "rows") return { columns: result.columns, results: result.rows, truncated: false };
  const results = result.triples.map(({ subject, predicate, object }: Triple) => ({
    subject,
    predicate: { value: predicate, type: "uri" } as Cell,
    object,
  }));
  return { columns: ["subject", "predicate", "object"], results, truncated: false };
}

function irisOf(rows: Rows): Set<string> {
  const found = new Set<string>();
  for (const row of rows.results) {
    for (const [name, cell] of Object.entries(row)) if (cell.type === "uri" && name !== "predicate") found.add(cell.value);
  }
  return found;
}

/** Returns what things are called, by IRI; nothing where the service has no release. */
function useLabels(iris: readonly string[]): Map<string, Entity> {
  const [called, setCalled] = useState(new Map<string, Entity>());
  useEffect(() => {
    if (iris.length === 0) return;
    new ServiceSource().subgraph(iris.slice(0, 2000)).then(
      ({ entities }) => setCalled(new Map(entities.map((entity) => [entity.iri, entity]))),
      () => undefined,
    );
  }, [iris]);
  return called;
}

function withLabels(rows: Rows, called: ReadonlyMap<string, Entity>): Rows {
  if (called.size === 0) return rows;
  const named = (cell: Cell): Cell => {
    const label = cell.type === "uri" ? called.get(cell.value)?.label : undefined;
    return label ? { ...cell, label } : cell;
  };
  const results = rows.results.map((row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, named(cell)])));
  return { ...rows, results };
}

function ResultGraph({
  result,
  iris,
  ready,
}: {
  result: Result;
  iris: readonly string[];
  ready: (board: { controller: GraphController; picture: Picture }) => void;
}): JSX.Element {
  const controller = useMemo(() => new GraphController(new ServiceSource()), [iris]);
  useEffect(() => {
    const built = result.kind === "triples" ? result.triples.flatMap(linkOf) : [];
    controller.pool.learn(iris.map(unnamed), built);
    void controller.add(iris.slice(0, MOST_NODES)).then(() => controller.settle());
  }, [controller]);
  return (
    <div>
      {iris.length > MOST_NODES && <p class="notice">The first {MOST_NODES} of {iris.length} things are drawn.</p>}
      <div class="result-graph">
        <GraphView {...{ controller, makeWorker, addressOf }} ready={(picture) => ready({ controller, picture })} />
      </div>
    </div>
  );
}

function unnamed(iri: string): Entity {
  return { iri, curie: iri, label: iri.replace(/^.*[/#](?=.)/, ""), type: null };
}

/** A triple that the query made; the graph may hold it too, and then says on what basis. */
function linkOf({ subject, predicate, object }: Triple): Link[] {
  if (subject.type !== "uri" || object.type !== "uri") return [];
  const label = predicate.replace(/^.*[/#](?=.)/, "");
  return [{ from: subject.value, link: predicate, to: object.value, label, basis: "reference", origins: [] }];
}

interface Chart {
  name: string;
  number: string;
  bars: { cell: Cell; value: number }[];
}

const MOST_BARS = 60;

/** Returns the first column of numbers against the first column that is none. */
export function chartOf({ columns, results }: Rows): Chart | null {
  if (results.length === 0) return null;
  const isNumber = (name: string): boolean =>
    results.some((row) => row[name]) && results.every((row) => !row[name] || (row[name].type === "literal" && row[name].value.trim() !== "" && Number.isFinite(Number(row[name].value))));
  const number = columns.find(isNumber);
  const name = columns.find((column) => column !== number && results.some((row) => row[column]));
  if (number === undefined || name === undefined) return null;
  const bars = results.flatMap((row) => {
    const [cell, value] = [row[name], row[number]];
    return cell && value ? [{ cell, value: Number(value.value) }] : [];
  });
  return { name, number, bars: bars.slice(0, MOST_BARS) };
}

function Bars({ name, number, bars, called }: Chart & { called: ReadonlyMap<string, Entity> }): JSX.Element {
  const most = Math.max(...bars.map((bar) => Math.abs(bar.value)), 1e-9);
  return (
    <figure class="bars">
      <figcaption>
        {number} by {name}
      </figcaption>
      <table>
        <tbody>
          {bars.map(({ cell, value }, i) => (
            <tr key={i}>
              <th scope="row">{called.get(cell.value)?.label ?? cell.value.replace(/^.*[/#](?=.)/, "")}</th>
              <td>
                <svg width="100%" height="16" aria-hidden="true" preserveAspectRatio="none" viewBox="0 0 100 16">
                  <rect width={(100 * Math.abs(value)) / most} height="16" rx="1" fill={value < 0 ? "#d55e00" : "#0072b2"} />
                </svg>
              </td>
              <td class="number">{value.toLocaleString("en-GB")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
