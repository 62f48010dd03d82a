import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { get } from "../../api.ts";
import { Passages } from "../../graph/panels.tsx";
import type { Basis, Entity, Passage } from "../../types.ts";
import { DocumentLink } from "../claims.tsx";
import { Exports, queryOf } from "../exports.tsx";
import { BasisMark, Named, Show, useLoaded } from "../pieces.tsx";
import { to } from "../route.ts";
import { OneThing, Suggested } from "./asking.tsx";

interface Effect {
  entity: Entity;
  basis: Basis;
  freed: boolean;
  before: number;
  after: number;
  left: Entity[];
  cut_size: number;
  cut: Entity[];
}

interface WhatIfAnswer {
  release: string;
  barrier: Entity;
  evidence: Passage[];
  freed: number;
  results: Effect[];
  truncated: boolean;
}

export function WhatIf({ values }: { values: URLSearchParams }): JSX.Element {
  const barrier = values.get("barrier") ?? "";
  useEffect(() => void (document.title = "What if · Policy evidence"), []);
  return (
    <div>
      <OneThing
        view="whatif"
        title="What if a barrier went?"
        lead="What would be free of barriers then, and what would still be held by others?"
        label="Barrier"
        name="barrier"
        type="pev:Barrier"
        value={barrier}
      />
      {barrier ? <Found barrier={barrier} /> : <Keystones />}
    </div>
  );
}

/** The barriers whose going would change most. */
function Keystones(): JSX.Element {
  const found = useLoaded(() => get<{ results: { barrier: Entity; frees: unknown[]; themes: number }[] }>("/api/keystones"), []);
  return (
    <Show of={found}>
      {({ results }) => (
        <Suggested
          title="Barriers, those that hold most alone first"
          of={results.map(({ barrier, frees, themes }) => [barrier, frees.length > 0 ? `holds ${frees.length} of ${themes} themes alone` : `one of several against ${themes} themes`])}
          address={(one) => to("whatif", { barrier: one.curie })}
        />
      )}
    </Show>
  );
}

function Found({ barrier }: { barrier: string }): JSX.Element {
  const found = useLoaded(() => get<WhatIfAnswer>("/api/whatif", { barrier }), [barrier]);
  return (
    <section class="card">
      <Show of={found}>{(answer) => <Effects answer={answer} />}</Show>
    </section>
  );
}

function Effects({ answer }: { answer: WhatIfAnswer }): JSX.Element {
  const drawn = useRef<HTMLDivElement>(null);
  const rows = [
    ["entity", "freed", "barriers before", "barriers after"],
    ...answer.results.map(({ entity, freed, before, after }) => [entity.iri, String(freed), String(before), String(after)]),
  ];
  return (
    <div ref={drawn}>
      <div class="view-head">
        <h2>
          Without <a href={to("entity", { entity: answer.barrier.curie })}>{answer.barrier.label}</a>
        </h2>
        <Exports name="what-if" title={`What if: ${answer.barrier.label}`} release={answer.release} json={answer} sparql={queryOf("what-if-a-barrier-went", { barrier: answer.barrier.iri })} {...{ rows, drawn }} />
      </div>
      <p>
        {answer.freed === 0 ? "Nothing would be free of barriers" : `${answer.freed} things would be free of barriers`};{" "}
        {answer.results.length - answer.freed} would still be held by others.
      </p>
      <ul class="results effects">
        {answer.results.map(({ entity, basis, freed, before, after, left, cut_size, cut }) => (
          <li key={entity.iri}>
            <div>
              <Named entity={entity} /> <BasisMark basis={basis} />
              <p class="quiet">
                {freed ? "Free" : `Held by ${after} of ${before} barriers still`}
                {left.length > 0 && <span>: {named(left)}</span>}
                {!freed && cut_size > 0 && (
                  <span>
                    . {cut_size === 1 ? "One more thing" : `${cut_size} more things`} would have to go: {named(cut)}
                  </span>
                )}
              </p>
            </div>
          </li>
        ))}
      </ul>
      {answer.truncated && <p class="notice">There is more than is listed.</p>}
      <h2>What the barrier rests on</h2>
      <Passages passages={answer.evidence} named={(iri) => <DocumentLink iri={iri} />} />
    </div>
  );
}

function named(entities: readonly Entity[]): JSX.Element[] {
  return entities.map((entity, i) => (
    <span key={entity.iri}>
      {i > 0 && ", "}
      <a href={to("entity", { entity: entity.curie })}>{entity.label}</a>
    </span>
  ));
}
