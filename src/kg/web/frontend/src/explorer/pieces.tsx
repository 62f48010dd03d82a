// What several views are made of.

import { Fragment, type ComponentChildren, type JSX } from "preact";
import { useEffect, useId, useReducer, useRef, useState } from "preact/hooks";
import { ProblemError, search, ServiceSource } from "../api.ts";
import { ClassMark, className } from "../graph/symbol.tsx";
import type { Answer, Basis, Cell, Entity } from "../types.ts";
import { BasisLine } from "../graph/symbol.tsx";
import { note, to } from "./route.ts";

export type Loaded<T> = { state: "loading" } | { state: "failed"; error: Error } | { state: "there"; value: T };

/** Loads something anew whenever what it depends on changes. */
export function useLoaded<T>(load: () => Promise<T>, on: readonly unknown[]): Loaded<T> {
  const [found, setFound] = useState<Loaded<T>>({ state: "loading" });
  useEffect(() => {
    let here = true;
    setFound({ state: "loading" });
    load().then(
      (value) => here && setFound({ state: "there", value }),
      (error: Error) => here && setFound({ state: "failed", error }),
    );
    return () => void (here = false);
  }, on);
  return found;
}

/** Returns which cell of a table is opened, kept in the address under its name, and what opens another. */
export function useCell<T>(cells: readonly T[], nameOf: (cell: T) => string, first: string): [T | null, (cell: T) => void] {
  const [chosen, setChosen] = useState<T | null>(() => cells.find((cell) => nameOf(cell) === first) ?? null);
  const choose = (cell: T): void => {
    setChosen(cell);
    note("cell", nameOf(cell));
  };
  return [chosen, choose];
}

/** Brings what was opened below a table into sight. */
export function seen(element: Element | null): void {
  element?.scrollIntoView({ block: "nearest" });
}

export function Show<T>({ of, children }: { of: Loaded<T>; children: (value: T) => ComponentChildren }): JSX.Element {
  if (of.state === "loading") return <p class="quiet loading">Loading…</p>;
  if (of.state === "failed") return <Failed error={of.error} />;
  return <Fragment>{children(of.value)}</Fragment>;
}

export function Failed({ error }: { error: Error }): JSX.Element {
  const nearest = error instanceof ProblemError ? (error.problem.nearest ?? []) : [];
  return (
    <div class="failed" role="alert">
      <p>{error.message.replace(/ Nearest: .*/s, "")}</p>
      {nearest.length > 0 && (
        <Fragment>
          <p>Did you mean:</p>
          <ul class="results">
            {nearest.map((entity) => (
              <li key={entity.iri}>
                <Named entity={entity} />
              </li>
            ))}
          </ul>
        </Fragment>
      )}
    </div>
  );
}

export function Named({ entity, kind = true }: { entity: Entity; kind?: boolean }): JSX.Element {
  return (
    <span class="named">
      <ClassMark type={entity.type} />
      <a href={to("entity", { entity: entity.curie })}>{entity.label}</a>
      {kind && <small> {className(entity.type)}</small>}
    </span>
  );
}

const BASIS_WORDS: Readonly<Record<Basis, string>> = {
  said: "a text says it",
  judged: "this project's judgement",
  inferred: "follows by rule",
  reference: "background facts",
};

export function BasisMark({ basis }: { basis: Basis }): JSX.Element {
  return (
    <span class={`basis ${basis}`} title={BASIS_WORDS[basis]}>
      <BasisLine basis={basis} />
      {basis}
    </span>
  );
}

// What was chosen is called by its label; the address and the service keep the name that is unique.
const NAMES = new Map<string, string>();

function useName(value: string): string {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (NAMES.has(value) || !/^(\w+:\S+)$/.test(value)) return;
    new ServiceSource().subgraph([value]).then(
      ({ entities }) => {
        NAMES.set(value, entities[0]?.label ?? value);
        again(undefined as never);
      },
      () => undefined,
    );
  }, [value]);
  return NAMES.get(value) ?? value;
}

/** A field in which a thing is found by a few letters of its name. */
export function EntityField({
  label,
  name,
  value,
  type,
  choose,
  placeholder = "",
  autofocus = false,
}: {
  label: string;
  name: string;
  value: string;
  type?: string;
  choose: (text: string, entity: Entity | null) => void;
  placeholder?: string;
  autofocus?: boolean;
}): JSX.Element {
  const id = useId();
  const called = useName(value);
  const [text, setText] = useState(called);
  const [found, setFound] = useState<Entity[]>([]);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const asking = useRef<AbortController | null>(null);
  const waiting = useRef(0);
  useEffect(() => setText(called), [called]);
  useEffect(
    () => () => {
      clearTimeout(waiting.current);
      asking.current?.abort();
    },
    [],
  );
  // What is still being looked for would open the list again.
  const close = (): void => {
    clearTimeout(waiting.current);
    asking.current?.abort();
    setOpen(false);
    setAt(-1);
  };
  const look = (words: string): void => {
    setText(words);
    if (words.trim().length < 2) {
      close();
      return;
    }
    clearTimeout(waiting.current);
    asking.current?.abort();
    waiting.current = setTimeout(() => {
      const abort = (asking.current = new AbortController());
      search(words, type, 8, abort.signal).then(
        ({ results }) => {
          setFound(results);
          setAt(-1);
          setOpen(results.length > 0);
        },
        () => undefined,
      );
    }, 120) as unknown as number;
  };
  const take = (entity: Entity): void => {
    NAMES.set(entity.curie, entity.label);
    setText(entity.label);
    close();
    choose(entity.curie, entity);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      // The browser would empty the field; here the key only closes the list.
      if (open) event.preventDefault();
      close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!open) return;
      event.preventDefault();
      setAt((at + (event.key === "ArrowDown" ? 1 : found.length)) % found.length);
    } else if (event.key === "Enter") {
      const chosen = open ? found[at] : undefined;
      if (!chosen) {
        close();
        choose(text === called ? value : text, null);
        return;
      }
      event.preventDefault();
      take(chosen);
    }
  };
  return (
    <div class="entity-field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        type="search"
        role="combobox"
        list={undefined}
        autocomplete="off"
        aria-autocomplete="list"
        aria-expanded={open}
        aria-controls={`${id}-list`}
        {...(at >= 0 ? { "aria-activedescendant": `${id}-${at}` } : {})}
        placeholder={placeholder}
        autofocus={autofocus}
        value={text}
        onInput={(event) => look(event.currentTarget.value)}
        onKeyDown={key}
        onBlur={() => {
          close();
          choose(text === called ? value : text, null);
        }}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={label} hidden={!open}>
        {found.map((entity, i) => (
          <li
            key={entity.iri}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === at}
            onPointerDown={(event) => {
              event.preventDefault();
              take(entity);
            }}
          >
            <ClassMark type={entity.type} /> {entity.label} <small>{className(entity.type)}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}

const MOST_ROWS = 500;

/** The rows of an answer; a column of labels is folded into the column of things it names. */
export function AnswerTable({ answer }: { answer: Pick<Answer, "columns" | "results" | "truncated"> }): JSX.Element {
  const columns = answer.columns.filter((name) => !(name.endsWith("Label") && answer.columns.includes(name.slice(0, -5))));
  if (answer.results.length === 0) return <p class="quiet">The answer is empty: nothing in the graph fits.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Rows of the answer">
      <table class="rows">
        <thead>
          <tr>
            {columns.map((name) => (
              <th scope="col" key={name}>
                {spaced(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {answer.results.slice(0, MOST_ROWS).map((row, i) => (
            <tr key={i}>
              {columns.map((name) => (
                <td key={name}>
                  <Value cell={row[name]} label={row[`${name}Label`]?.value} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {answer.results.length > MOST_ROWS && (
        <p class="quiet">{answer.results.length - MOST_ROWS} more rows are in the CSV and JSON files.</p>
      )}
      {answer.truncated && <p class="notice">The answer was cut by a limit of the service; it is not all there is.</p>}
    </div>
  );
}

function spaced(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}

export function Value({ cell, label }: { cell: Cell | undefined; label?: string | undefined }): JSX.Element | null {
  if (!cell) return null;
  if (cell.type !== "uri") {
    return BASIS_WORDS[cell.value as Basis] ? <BasisMark basis={cell.value as Basis} /> : <Fragment>{cell.value}</Fragment>;
  }
  return (
    <a href={to("entity", { entity: cell.value })} title={cell.value}>
      {label ?? cell.label ?? cell.value.replace(/^.*[/#](?=.)/, "")}
    </a>
  );
}
