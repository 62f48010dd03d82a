import type { JSX } from "preact";
import type { Entity } from "../../types.ts";
import { useState } from "preact/hooks";
import { ClassMark } from "../../graph/symbol.tsx";
import { EntityField } from "../pieces.tsx";
import { go, to, type View } from "../route.ts";

/** The head of a view that is about one thing: which one. */
export function OneThing({
  view,
  title,
  lead,
  label,
  name,
  type,
  value,
}: {
  view: View;
  title: string;
  lead?: string;
  label: string;
  name: string;
  type: string;
  value: string;
}): JSX.Element {
  const [chosen, setChosen] = useState(value);
  return (
    <section class="card">
      <h1>{title}</h1>
      {lead && <p class="quiet">{lead}</p>}
      <form
        class="path-form"
        onSubmit={(event) => {
          event.preventDefault();
          go(to(view, { [name]: chosen }));
        }}
      >
        <EntityField
          label={label}
          name={name}
          type={type}
          value={chosen}
          choose={(text, entity) => {
            setChosen(text);
            if (entity) go(to(view, { [name]: text }));
          }}
        />
        <button type="submit" class="primary">
          Show
        </button>
      </form>
    </section>
  );
}

/** What one may begin with, where nothing is chosen yet. */
export function Suggested({ title, of, address }: { title: string; of: readonly [Entity, string][]; address: (entity: Entity) => string }): JSX.Element {
  return (
    <section class="card">
      <h2>{title}</h2>
      <ul class="suggested">
        {of.map(([entity, why]) => (
          <li key={entity.iri}>
            <ClassMark type={entity.type} /> <a href={address(entity)}>{entity.label}</a> <small>{why}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}
