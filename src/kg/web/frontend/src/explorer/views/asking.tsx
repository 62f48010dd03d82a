import type { JSX } from "preact";
import { useState } from "preact/hooks";
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
