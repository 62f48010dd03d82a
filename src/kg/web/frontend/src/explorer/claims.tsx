// Items as the questions on the whole return them: who states them, on what basis, with which passages.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Passages } from "../graph/panels.tsx";
import type { Basis, Entity, Passage } from "../types.ts";
import { BasisMark, Named } from "./pieces.tsx";
import { to } from "./route.ts";

export interface Claim {
  item: Entity;
  origin: Entity | null;
  link: string | null;
  basis: Basis;
  evidence: Passage[];
}

export function isClaim(value: unknown): value is Claim {
  return typeof value === "object" && value !== null && "item" in value;
}

export function ClaimList({ claims }: { claims: readonly Claim[] }): JSX.Element {
  return (
    <ul class="results claims">
      {claims.map((claim) => (
        <li key={claim.item.iri}>
          <ClaimItem claim={claim} />
        </li>
      ))}
    </ul>
  );
}

function ClaimItem({ claim: { item, origin, basis, evidence } }: { claim: Claim }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <div>
      <Named entity={item} /> <BasisMark basis={basis} />
      {origin && (
        <small>
          {" "}
          in <a href={to("entity", { entity: origin.curie })}>{origin.label}</a>
        </small>
      )}{" "}
      {evidence.length > 0 && (
        <button type="button" class="as-link" aria-expanded={open} onClick={() => setOpen(!open)}>
          {evidence.length === 1 ? "passage" : `${evidence.length} passages`}
        </button>
      )}
      {open && <Passages passages={evidence} named={(iri) => <DocumentLink iri={iri} origin={origin} />} />}
    </div>
  );
}

export function DocumentLink({ iri, origin = null }: { iri: string; origin?: Entity | null }): JSX.Element {
  return <a href={to("entity", { entity: iri })}>{origin?.iri === iri ? origin.label : iri.replace(/^.*\//, "")}</a>;
}
