import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ask, get } from "../../api.ts";
import { className, ClassMark } from "../../graph/symbol.tsx";
import type { Answer, Entity } from "../../types.ts";
import { ClaimList, type Claim } from "../claims.tsx";
import { Exports, queryOf } from "../exports.tsx";
import { seen, Show, useCell, useLoaded } from "../pieces.tsx";
import { to } from "../route.ts";
import { OneThing, Suggested } from "./asking.tsx";

type State = "contradicts" | "says" | "relays" | "silent" | "out of scope";

interface Cell {
  document: Entity;
  kind: string;
  state: State;
  items: number;
  claims: Claim[];
  contradictions: { item: string; contradicted_by: Entity[] }[];
}

interface Comparison {
  release: string;
  theme: Entity;
  documents: number;
  origins: number;
  independent: number;
  results: Cell[];
  truncated: boolean;
}

const WORDS: Readonly<Record<State, string>> = {
  contradicts: "says what another contradicts",
  says: "says",
  relays: "only passes on",
  silent: "silent",
  "out of scope": "out of its scope",
};
const SIGNS: Readonly<Record<State, string>> = { contradicts: "≠", says: "●", relays: "◌", silent: "–", "out of scope": "" };

export function Compare({ values }: { values: URLSearchParams }): JSX.Element {
  const theme = values.get("theme") ?? "";
  useEffect(() => void (document.title = "Compare · Policy evidence"), []);
  return (
    <div>
      <OneThing view="compare" title="Compare documents on a theme" label="Theme" name="theme" type="pev:Theme" value={theme} />
      {theme ? <Found theme={theme} chosen={values.get("cell") ?? ""} /> : <Themes />}
    </div>
  );
}

/** The themes that several documents speak of. */
function Themes(): JSX.Element {
  const found = useLoaded(() => ask("recurring-themes", {}), []);
  const themeOf = ({ theme }: Answer["results"][number]): Entity => ({ iri: theme?.value ?? "", curie: theme?.value ?? "", label: theme?.label ?? "", type: "pev:Theme" });
  return (
    <Show of={found}>
      {({ results }) => (
        <Suggested
          title="Themes that several documents speak of"
          of={results.map((row) => [themeOf(row), `${row["origins"]?.value} documents`])}
          address={(theme) => to("compare", { theme: theme.iri })}
        />
      )}
    </Show>
  );
}

function Found({ theme, chosen }: { theme: string; chosen: string }): JSX.Element {
  const found = useLoaded(() => get<Comparison>("/api/compare", { theme }), [theme]);
  return <section class="card"><Show of={found}>{(answer) => <Table answer={answer} first={chosen} />}</Show></section>;
}

function Table({ answer, first }: { answer: Comparison; first: string }): JSX.Element {
  const [chosen, choose] = useCell(answer.results, ({ document, kind }) => `${document.curie} ${kind}`, first);
  const drawn = useRef<HTMLDivElement>(null);
  const documents = [...new Map(answer.results.map((cell) => [cell.document.iri, cell.document])).values()];
  const kinds = [...new Set(answer.results.map((cell) => cell.kind))];
  const at = new Map(answer.results.map((cell) => [`${cell.document.iri} ${cell.kind}`, cell]));
  const rows = [
    ["document", "kind", "state", "items"],
    ...answer.results.map((cell) => [cell.document.iri, cell.kind, cell.state, String(cell.items)]),
  ];
  const sparql = queryOf("compare-documents-on-theme", { theme: answer.theme.iri });
  return (
    <div ref={drawn}>
      <div class="view-head">
        <div>
          <h2>
            <a href={to("entity", { entity: answer.theme.curie })}>{answer.theme.label}</a>
          </h2>
          <p class="quiet">
            {answer.origins} of {answer.documents} documents state something on it, {answer.independent} of them independently.
          </p>
        </div>
        <Exports name="compare" title={`Compare: ${answer.theme.label}`} release={answer.release} json={answer} {...{ rows, sparql, drawn }} />
      </div>
      <p class="keys">
        {(Object.keys(WORDS) as State[]).map((state) => (
          <span key={state}>
            <span class={`cell ${state.replaceAll(" ", "-")}`} aria-hidden="true">
              {SIGNS[state]}
            </span>{" "}
            {WORDS[state]}
          </span>
        ))}
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Documents by kind">
        <table class="matrix comparison">
          <thead>
            <tr>
              <td />
              {kinds.map((kind) => (
                <th scope="col" key={kind}>
                  <ClassMark type={kind} /> {className(kind)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {documents.map((document) => (
              <tr key={document.iri}>
                <th scope="row">
                  <a href={to("entity", { entity: document.curie })}>{document.label}</a>
                </th>
                {kinds.map((kind) => {
                  const cell = at.get(`${document.iri} ${kind}`);
                  if (!cell) return <td key={kind} />;
                  const words = `${document.label}, ${className(kind)}: ${WORDS[cell.state]}`;
                  const style = `cell ${cell.state.replaceAll(" ", "-")}`;
                  return (
                    <td key={kind}>
                      {cell.items > 0 ? (
                        <button type="button" class={style} aria-label={`${words}, ${cell.items}`} title={words} aria-pressed={cell === chosen} onClick={() => choose(cell)}>
                          {cell.items}
                        </button>
                      ) : (
                        <span class={style} title={words}>
                          <span aria-hidden="true">{SIGNS[cell.state]}</span>
                          <span class="unseen">{WORDS[cell.state]}</span>
                        </span>
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen && (
        <section aria-live="polite">
          <h2 ref={seen} class="opened">
            {className(chosen.kind)}: {chosen.document.label}
          </h2>
          <ClaimList claims={chosen.claims} />
          {chosen.contradictions.length > 0 && (
            <p class="notice">
              Contradicted by{" "}
              {chosen.contradictions.flatMap((one) => one.contradicted_by).map((entity) => (
                <a key={entity.iri} href={to("entity", { entity: entity.curie })}>
                  {entity.label}
                </a>
              ))}
            </p>
          )}
        </section>
      )}
    </div>
  );
}
