// What is drawn, by class, link, basis, document and date; and what the marks mean.

import type { JSX } from "preact";
import { BASES, type Basis } from "../types.ts";
import type { GraphController } from "./controller.ts";
import { NO_FILTER } from "./model.ts";
import { BasisLine, ClassMark, className } from "./symbol.tsx";

function without<T>(list: readonly T[], item: T): T[] {
  return list.includes(item) ? list.filter((other) => other !== item) : [...list, item];
}

export function FilterPanel({ controller }: { controller: GraphController }): JSX.Element {
  const { filter, classes, linkTypes, documents } = controller.shown;
  const names = (iri: string): string => controller.pool.entity(iri).label;
  const byCount = [...linkTypes].sort((a, b) => b[1].count - a[1].count);
  return (
    <section class="filters" aria-label="Filter">
      <Choices title="Class">
        {[...classes].sort((a, b) => b[1] - a[1]).map(([type, count]) => (
          <Choice
            key={type}
            on={!filter.hiddenClasses.includes(type)}
            change={() => controller.filter({ hiddenClasses: without(filter.hiddenClasses, type) })}
            count={count}
          >
            <ClassMark type={type} /> {className(type)}
          </Choice>
        ))}
      </Choices>
      <Choices title="Basis">
        {BASES.map((basis: Basis) => (
          <Choice
            key={basis}
            on={filter.bases.includes(basis)}
            change={() => controller.filter({ bases: without(filter.bases, basis) })}
          >
            <BasisLine basis={basis} /> {basis}
          </Choice>
        ))}
      </Choices>
      <Choices title="Link">
        {byCount.map(([link, { label, count }]) => (
          <Choice
            key={link}
            on={!filter.hiddenLinks.includes(link)}
            change={() => controller.filter({ hiddenLinks: without(filter.hiddenLinks, link) })}
            count={count}
          >
            {label}
          </Choice>
        ))}
      </Choices>
      <Choices title="Stated in (none chosen: any)">
        {[...documents].map(([iri, count]) => (
          <Choice
            key={iri}
            on={filter.documents.includes(iri)}
            change={() => controller.filter({ documents: without(filter.documents, iri) })}
            count={count}
          >
            {names(iri)}
          </Choice>
        ))}
      </Choices>
      <fieldset>
        <legend>Date of the document</legend>
        <label>
          from <Year value={filter.since} change={(since) => controller.filter({ since })} />
        </label>{" "}
        <label>
          to <Year value={filter.until} change={(until) => controller.filter({ until })} />
        </label>
      </fieldset>
      <button type="button" onClick={() => controller.filter(NO_FILTER)}>
        Show everything
      </button>
    </section>
  );
}

function Year({ value, change }: { value: string; change: (year: string) => void }): JSX.Element {
  return (
    <input
      type="text"
      inputMode="numeric"
      size={10}
      placeholder="2018"
      pattern="[0-9]{4}(-[0-9]{2}){0,2}"
      value={value}
      onChange={(event) => {
        if (event.currentTarget.validity.valid) change(event.currentTarget.value);
      }}
    />
  );
}

function Choices({ title, children }: { title: string; children: JSX.Element[] }): JSX.Element {
  return (
    <fieldset>
      <legend>{title}</legend>
      {children.length > 0 ? children : <p class="quiet">None</p>}
    </fieldset>
  );
}

function Choice({
  on,
  change,
  count,
  children,
}: {
  on: boolean;
  change: () => void;
  count?: number;
  children: preact.ComponentChildren;
}): JSX.Element {
  return (
    <label class="choice">
      <input type="checkbox" checked={on} onChange={change} /> <span>{children}</span>
      {count !== undefined && <span class="count">{count}</span>}
    </label>
  );
}

/** What the marks and lines of the picture mean. */
export function Legend({ controller }: { controller: GraphController }): JSX.Element {
  const there = new Set(controller.shown.links.map((link) => link.basis));
  const classes = [...new Set(controller.shown.nodes.map((node) => node.type ?? ""))].sort();
  return (
    <div class="legend" role="group" aria-label="Legend">
      {classes.map((type) => (
        <span key={type}>
          <ClassMark type={type} /> {className(type)}
        </span>
      ))}
      {BASES.filter((basis) => there.has(basis)).map((basis) => (
        <span key={basis}>
          <BasisLine basis={basis} /> {basis}
        </span>
      ))}
    </div>
  );
}
