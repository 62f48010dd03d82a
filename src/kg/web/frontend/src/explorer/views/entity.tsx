import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { describe } from "../../api.ts";
import { className, ClassMark } from "../../graph/symbol.tsx";
import { useController } from "../../graph/view.tsx";
import { Passages } from "../../graph/panels.tsx";
import type { Description, Entity, Relation } from "../../types.ts";
import { Board, useBoard, usePicture } from "../graph.tsx";
import { Exports, linkRows } from "../exports.tsx";
import { BasisMark, Named, Show, useLoaded } from "../pieces.tsx";
import { to } from "../route.ts";

const PEV = "https://w3id.org/policy-evidence/ns#";
const FIRST = 8;
// In the order in which one asks: who says it, what it does, what answers it, then the rest.
const ORDER = ["assertedBy", "statedIn", "inCapacity", "reportedIn", "blocks", "enables", "affects", "addresses", "directedTo"];

export function EntityView({ values }: { values: URLSearchParams }): JSX.Element {
  const name = values.get("entity") ?? "";
  const found = useLoaded(() => describe(name), [name]);
  return <Show of={found}>{(description) => <Page key={description.iri} description={description} />}</Show>;
}

function Page({ description }: { description: Description }): JSX.Element {
  const { iri, curie, label, type, says, facts, results, evidence, release, truncated } = description;
  useEffect(() => void (document.title = `${label} · Policy evidence`), [label]);
  const [picture, ready] = usePicture();
  const controller = useBoard(
    () => ({ entities: [{ iri, curie, label, type }] }),
    (made) => made.expandAll(iri),
    [iri],
  );
  useController(controller);
  const groups = grouped(results, label);
  const [first, rest] = [groups.filter(([, [one]]) => one && place(one) < ORDER.length), groups.filter(([, [one]]) => one && place(one) === ORDER.length)];
  const recorded = facts.filter(({ value }) => value !== label && value !== says);
  return (
    <div class="entity-page">
      <article class="card">
        <div class="view-head">
          <div>
            <p class="kind">
              <ClassMark type={type} /> {className(type)}
            </p>
            <h1>{label}</h1>
          </div>
          <Exports
            {...{ name: curie.replace(":", "-"), title: label, release, controller, picture }}
            sparql={description.sparql}
            json={description}
            rows={linkRows(controller)}
          />
        </div>
        {says && says !== label && <p class="says">{says}</p>}
        <p class="ways-on">
          <a href={to("connect", { from: curie })}>Connect it with…</a>
          <a href={localAddress(iri)}>Data and full record</a>
        </p>
        {first.map(([heading, relations]) => (
          <Group key={heading} heading={heading} relations={relations} />
        ))}
        {evidence.length > 0 && (
          <section>
            <h2>Evidence</h2>
            <Passages passages={evidence} named={(document) => <DocumentName iri={document} controller={controller} />} />
          </section>
        )}
        {rest.map(([heading, relations]) => (
          <Group key={heading} heading={heading} relations={relations} />
        ))}
        {truncated && <p class="notice">Only the first {results.length} links are listed; the graph counts them all.</p>}
        {recorded.length > 0 && (
          <section>
            <h2>Also recorded</h2>
            <dl class="facts">
              {recorded.map((fact) => (
                <div key={fact.property + fact.value}>
                  <dt>{fact.label}</dt>
                  <dd>{fact.value}</dd>
                </div>
              ))}
            </dl>
          </section>
        )}
      </article>
      <section class="graph-card" aria-label="Its neighbourhood as a graph">
        <Board controller={controller} ready={ready} />
      </section>
    </div>
  );
}

function DocumentName({ iri, controller }: { iri: string; controller: { pool: { entity(iri: string): Entity } } }): JSX.Element {
  const entity = controller.pool.entity(iri);
  return <a href={to("entity", { entity: iri })}>{entity.label === iri ? iri.replace(/^.*\//, "") : entity.label}</a>;
}

function place({ link }: Relation): number {
  const at = ORDER.indexOf(link.replace(PEV, ""));
  return at < 0 ? ORDER.length : at;
}

/** Returns the links by kind and direction under words that say what they are, those one asks for first in front. */
function grouped(results: readonly Relation[], label: string): [string, Relation[]][] {
  const found = new Map<string, Relation[]>();
  for (const relation of [...results].sort((a, b) => place(a) - place(b))) {
    const heading = relation.direction === "forward" ? `It ${relation.phrase}` : `What ${relation.phrase} ${label}`;
    found.set(heading, [...(found.get(heading) ?? []), relation]);
  }
  return [...found];
}

function Group({ heading, relations }: { heading: string; relations: Relation[] }): JSX.Element {
  const [all, setAll] = useState(false);
  const shown = all ? relations : relations.slice(0, FIRST);
  return (
    <section>
      <h2>
        {heading} <small>{relations.length}</small>
      </h2>
      <ul class="results">
        {shown.map((relation, i) => (
          <li key={i}>
            <Named entity={relation.entity} /> <BasisMark basis={relation.basis} />
          </li>
        ))}
      </ul>
      {relations.length > FIRST && (
        <button type="button" class="as-link" onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${relations.length}`}
        </button>
      )}
    </section>
  );
}

const BASE = "https://w3id.org/policy-evidence/";

/** Returns the address of the record on this service. */
function localAddress(iri: string): string {
  return iri.startsWith(BASE) && !iri.includes("#") ? `/page/${iri.slice(BASE.length)}` : `/page?${new URLSearchParams({ iri })}`;
}
