import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { search } from "../../api.ts";
import { className } from "../../graph/symbol.tsx";
import { Exports } from "../exports.tsx";
import { Named, Show, useLoaded } from "../pieces.tsx";
import { to } from "../route.ts";

export function Search({ values }: { values: URLSearchParams }): JSX.Element {
  const q = values.get("q") ?? "";
  const type = values.get("type") ?? "";
  const drawn = useRef<HTMLElement>(null);
  const found = useLoaded(() => search(q, type || undefined, 60), [q, type]);
  useEffect(() => void (document.title = `${q} · Policy evidence`), [q]);
  return (
    <Show of={found}>
      {({ results, truncated, release, sparql }) => {
        const types = [...new Set(results.map((entity) => entity.type ?? ""))];
        return (
          <section aria-live="polite" class="card" ref={drawn}>
            <div class="view-head">
              <h1>
                {results.length}
                {truncated ? " best" : ""} found for “{q}”
              </h1>
              <Exports
                name="search"
                title={`Search: ${q}`}
                release={release}
                json={results}
                {...{ sparql, drawn }}
                rows={[["iri", "curie", "label", "type"], ...results.map((e) => [e.iri, e.curie, e.label, e.type ?? ""])]}
              />
            </div>
            <nav class="chips" aria-label="By class">
              {type && <a href={to("search", { q })}>All classes</a>}
              {types.map((kind) => (
                <a key={kind} href={to("search", { q, type: kind })} aria-current={kind === type ? "true" : undefined}>
                  {className(kind)}
                </a>
              ))}
            </nav>
            <ul class="results">
              {results.map((entity) => (
                <li key={entity.iri}>
                  <Named entity={entity} />
                </li>
              ))}
            </ul>
            {results.length === 0 && <p>Nothing is called like that. Try fewer or other words.</p>}
          </section>
        );
      }}
    </Show>
  );
}
