import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { connections } from "../../api.ts";
import { linkKey } from "../../graph/model.ts";
import { Passages } from "../../graph/panels.tsx";
import { BASES, type Connections, type Entity, type FoundPath, type Hop, type Link, type Missing } from "../../types.ts";
import { Board, useBoard, usePicture } from "../graph.tsx";
import { Exports } from "../exports.tsx";
import { BasisMark, EntityField, Named, Show, useLoaded } from "../pieces.tsx";
import { go, note, to } from "../route.ts";

export function PathForm({ from, to: goal, hops, basis = "" }: { from: string; to: string; hops: string; basis?: string }): JSX.Element {
  const [ends, setEnds] = useState({ from, to: goal });
  useEffect(() => setEnds({ from, to: goal }), [from, goal]);
  const chosen = basis ? basis.split(",") : [...BASES];
  return (
    <form
      class="path-form"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        const bases = form.getAll("basis").join(",");
        const all = bases === BASES.join(",");
        go(to("connect", { ...ends, max_hops: String(form.get("max_hops") ?? "6"), basis: all ? "" : bases }));
      }}
    >
      <EntityField label="From" name="from" value={ends.from} placeholder="COSLA" choose={(text) => setEnds((now) => ({ ...now, from: text }))} />
      <EntityField label="To" name="to" value={ends.to} placeholder="Distrust between professions" choose={(text) => setEnds((now) => ({ ...now, to: text }))} />
      <div class="path-options">
        <label class="short">
          At most{" "}
          <select name="max_hops">
            {[2, 3, 4, 5, 6, 8].map((count) => (
              <option key={count} value={count} selected={String(count) === hops}>
                {count} hops
              </option>
            ))}
          </select>
        </label>
        <fieldset class="inline">
          <legend>Over links that are</legend>
          {BASES.map((one) => (
            <label key={one}>
              <input type="checkbox" name="basis" value={one} checked={chosen.includes(one)} /> {one}
            </label>
          ))}
        </fieldset>
        <button type="submit" class="primary">
          Connect
        </button>
      </div>
    </form>
  );
}

const RESTRICTIONS = ["mode", "via", "avoid", "links", "types", "direction", "place", "document", "since", "until"] as const;

export function Connect({ values }: { values: URLSearchParams }): JSX.Element {
  const asked = {
    from: values.get("from") ?? "",
    to: values.get("to") ?? "",
    max_hops: values.get("max_hops") ?? "6",
    basis: values.get("basis") ?? "",
    limit: values.get("limit") ?? "10",
  };
  const restrictions = Object.fromEntries(RESTRICTIONS.map((name) => [name, values.getAll(name)]).filter(([, given]) => given?.length));
  useEffect(() => void (document.title = "Connect two things · Policy evidence"), []);
  return (
    <div>
      <section class="card">
        <h1>Connect two things</h1>
        <PathForm from={asked.from} to={asked.to} hops={asked.max_hops} basis={asked.basis} />
        <Restricted asked={asked} restrictions={restrictions} />
      </section>
      {asked.from && asked.to && <Found key={JSON.stringify([asked, restrictions])} asked={{ ...asked, ...restrictions }} chosen={values.get("path") ?? ""} />}
    </div>
  );
}

/** What else the address asks for, which the form has no field for. */
function Restricted({ asked, restrictions }: { asked: Record<string, string>; restrictions: Record<string, string[]> }): JSX.Element | null {
  if (Object.keys(restrictions).length === 0) return null;
  return (
    <p class="notice">
      Restricted to{" "}
      {Object.entries(restrictions)
        .map(([name, given]) => `${name} ${given.join(", ")}`)
        .join("; ")}
      . <a href={to("connect", asked)}>Without that</a>
    </p>
  );
}

function Found({ asked, chosen }: { asked: Record<string, string | string[]>; chosen: string }): JSX.Element {
  const found = useLoaded(() => connections(asked), [JSON.stringify(asked)]);
  return (
    <Show of={found}>
      {(answer) => (answer.paths.length > 0 ? <Paths answer={answer} chosen={chosen} /> : <None answer={answer} />)}
    </Show>
  );
}

function None({ answer }: { answer: Connections }): JSX.Element {
  return (
    <section class="card" role="status">
      <h2>No connection</h2>
      <p>{answer.why_none?.reason}</p>
      {answer.why_none && answer.why_none.nearest.length > 0 && (
        <ul class="results">
          {answer.why_none.nearest.map((entity) => (
            <li key={entity.iri}>
              <Named entity={entity} />
            </li>
          ))}
        </ul>
      )}
      {answer.why_none?.missing && <MissingLink missing={answer.why_none.missing} />}
      <p class="quiet">
        Looked at {answer.searched.reached} things within {answer.searched.max_hops} hops
        {answer.searched.complete ? ", which is all there are." : "; the search was cut by its budget."}
      </p>
    </section>
  );
}

function MissingLink({ missing }: { missing: Missing }): JSX.Element {
  return (
    <p>
      They would be connected in {missing.hops} {missing.hops === 1 ? "hop" : "hops"} if it were so:{" "}
      <Named entity={missing.from} /> {missing.label} <Named entity={missing.to} />
      {missing.fits === "release" && " (such links join such things here; the ontology leaves it open)"}
    </p>
  );
}

function linkOfHop(hop: Hop): Link {
  const [from, goal] = hop.direction === "forward" ? [hop.from, hop.to] : [hop.to, hop.from];
  return { from, link: hop.link, to: goal, label: hop.label, basis: hop.basis, origins: hop.origins ?? [] };
}

function Paths({ answer, chosen }: { answer: Connections; chosen: string }): JSX.Element {
  const [only, setOnly] = useState(chosen === "" ? -1 : Number(chosen) - 1);
  const drawn = answer.paths[only] ? [answer.paths[only]] : answer.paths;
  return (
    <div class="connect-page">
      <Written answer={answer} only={only} choose={(path) => { setOnly(path); note("path", path < 0 ? "" : String(path + 1)); }} />
      <Drawn key={only} answer={answer} paths={drawn as FoundPath[]} />
    </div>
  );
}

function Written({ answer, only, choose }: { answer: Connections; only: number; choose: (path: number) => void }): JSX.Element {
  return (
    <section class="card">
      <h2>
        {answer.paths.length}
        {answer.truncated ? " best" : ""} {answer.paths.length === 1 ? "path" : "paths"}
      </h2>
      {only >= 0 && (
        <button type="button" class="as-link" onClick={() => choose(-1)}>
          Draw all paths
        </button>
      )}
      <ol class="paths">
        {answer.paths.map((path, i) => (
          <li key={i} aria-current={i === only ? "true" : undefined}>
            <div class="path-head">
              <button type="button" class="as-link" onClick={() => choose(i)}>
                {path.length} {path.length === 1 ? "hop" : "hops"}
              </button>
              <span class={`thread ${path.thread}`} title={path.thread === "single" ? "One origin stands behind every hop" : "No single source makes this whole chain"}>
                {path.thread === "single" ? "one source throughout" : "stitched from several sources"}
              </span>
            </div>
            {path.text && <p class="sentence">{path.text}</p>}
            <ol class="hops">
              {path.hops.map((hop, j) => (
                <HopItem key={j} hop={hop} nodes={path.nodes} />
              ))}
            </ol>
          </li>
        ))}
      </ol>
    </section>
  );
}

function HopItem({ hop, nodes }: { hop: Hop; nodes: readonly Entity[] }): JSX.Element {
  const called = new Map(nodes.map((node) => [node.iri, node]));
  return (
    <li class="hop">
      <details>
        <summary>
          <BasisMark basis={hop.basis} /> {hop.sentence}
        </summary>
        <Passages
          passages={hop.evidence}
          named={(iri) => <a href={to("entity", { entity: iri })}>{called.get(iri)?.label ?? iri.replace(/^.*\//, "")}</a>}
        />
      </details>
    </li>
  );
}

function Drawn({ answer, paths }: { answer: Connections; paths: FoundPath[] }): JSX.Element {
  const [picture, ready] = usePicture();
  const hops = paths.flatMap((path) => path.hops);
  const links = [...new Map(hops.map((hop) => [linkKey(linkOfHop(hop)), linkOfHop(hop)])).values()];
  const entities = [...new Map(paths.flatMap((path) => path.nodes).map((node) => [node.iri, node])).values()];
  const controller = useBoard(
    () => ({ entities, links, complete: false }),
    () => Promise.resolve(),
    [],
  );
  const flow = hops.map((hop) => [hop.from, hop.to] as const);
  const title = `${answer.from.label} – ${answer.to.label}`;
  const rows = [
    ["path", "hop", "from", "link", "to", "basis", "sentence"],
    ...answer.paths.flatMap((path, i) =>
      path.hops.map((hop, j) => {
        const link = linkOfHop(hop);
        return [String(i + 1), String(j + 1), link.from, link.link, link.to, link.basis, hop.sentence];
      }),
    ),
  ];
  return (
    <section class="graph-card" aria-label="The paths as a graph">
      <div class="view-head">
        <h2>{title}</h2>
        <Exports {...{ name: "connection", title, release: answer.release, controller, picture, rows }} sparql={answer.sparql} json={answer} />
      </div>
      <Board controller={controller} arrangement={{ kind: "layered", flow }} ready={ready} />
    </section>
  );
}
