import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, questions } from "../../api.ts";
import type { Answer, Question, QuestionParameter } from "../../types.ts";
import { Exports } from "../exports.tsx";
import { AnswerTable, EntityField, Failed, Show, useLoaded } from "../pieces.tsx";
import { go, to } from "../route.ts";

const LITERAL = /^xsd:|^text$/;

export function QuestionView({ values }: { values: URLSearchParams }): JSX.Element {
  const name = values.get("name") ?? "";
  const listed = useLoaded(questions, []);
  return (
    <Show of={listed}>
      {(found) => {
        const question = found.find((one) => one.name === name);
        if (!question) return <Failed error={new Error(`There is no question ${name}.`)} />;
        return <Asked key={question.name} question={question} values={values} />;
      }}
    </Show>
  );
}

function Asked({ question, values }: { question: Question; values: URLSearchParams }): JSX.Element {
  const title = question.summary ?? question.name;
  useEffect(() => void (document.title = `${title} · Policy evidence`), [title]);
  const given = Object.fromEntries(question.parameters.map(({ name }) => [name, values.getAll(name)]));
  const missing = question.parameters.some(({ name, mode }) => mode === "required" && (given[name] ?? []).length === 0);
  return (
    <div>
      <section class="card">
        <p class="kind">Question</p>
        <h1>{title}</h1>
        <QuestionForm question={question} given={given} />
      </section>
      {missing ? null : <Rows key={JSON.stringify(given)} question={question} given={given} title={title} />}
    </div>
  );
}

function QuestionForm({ question, given }: { question: Question; given: Record<string, string[]> }): JSX.Element | null {
  // What a question needs begins with its example, so that it can be asked at once.
  const first = ({ name, mode, example }: QuestionParameter): string[] => {
    const values = given[name] ?? [];
    return values.length > 0 || mode === "optional" ? values : example;
  };
  const [chosen, setChosen] = useState(Object.fromEntries(question.parameters.map((p) => [p.name, first(p)])));
  if (question.parameters.length === 0) return null;
  const set = (name: string, at: number, text: string): void =>
    setChosen((now) => ({ ...now, [name]: Object.assign([...(now[name] ?? [])], { [at]: text }) }));
  return (
    <form
      class="question-form"
      onSubmit={(event) => {
        event.preventDefault();
        const kept = Object.fromEntries(Object.entries(chosen).map(([name, list]) => [name, list.filter((text) => text.trim())]));
        go(to("question", { name: question.name, ...kept }));
      }}
    >
      {question.parameters.map((parameter) => {
        const { name, type, mode, example } = parameter;
        const list = chosen[name] ?? [];
        const fields = mode === "many" ? [...list.filter(Boolean), ""] : [list[0] ?? ""];
        return fields.map((value, at) =>
          LITERAL.test(type) ? (
            <label key={name + at} class="literal">
              {name} ({mode === "optional" ? "may be left out, " : ""}
              {type})
              <input name={name} value={value} placeholder={example[0] ?? ""} onInput={(event) => set(name, at, event.currentTarget.value)} />
            </label>
          ) : (
            <EntityField
              key={name + at}
              label={`${name}${mode === "optional" ? " (may be left out)" : at > 0 ? " (one more)" : ""}`}
              name={name}
              type={type}
              value={value}
              placeholder={example[0] ?? ""}
              choose={(text) => set(name, at, text)}
            />
          ),
        );
      })}
      <button type="submit" class="primary">
        Ask
      </button>
    </form>
  );
}

function Rows({ question, given, title }: { question: Question; given: Record<string, string[]>; title: string }): JSX.Element {
  const found = useLoaded(() => ask(question.name, given), [JSON.stringify(given)]);
  const drawn = useRef<HTMLElement>(null);
  return (
    <Show of={found}>
      {(answer) => (
        <section class="card" ref={drawn}>
          <div class="view-head">
            <h2>
              {answer.results.length} {answer.results.length === 1 ? "row" : "rows"}
            </h2>
            <span class="actions">
              {thingsIn(answer).length > 0 && (
                <a class="button" href={to("graph", { nodes: thingsIn(answer).join(","), title })}>
                  Open as graph
                </a>
              )}
              <Exports {...{ name: question.name, title, release: answer.release }} sparql={answer.sparql} json={answer} rows={tableRows(answer)} drawn={drawn} />
            </span>
          </div>
          <AnswerTable answer={answer} />
        </section>
      )}
    </Show>
  );
}

const MOST_THINGS = 150;
const BASE = "https://w3id.org/policy-evidence/";

/** Returns the things that an answer names, so short that they fit into an address. */
export function thingsIn(answer: Pick<Answer, "results">): string[] {
  const found = new Set<string>();
  for (const row of answer.results) {
    for (const cell of Object.values(row)) if (cell.type === "uri" && !cell.value.includes("#")) found.add(cell.value);
  }
  return [...found].slice(0, MOST_THINGS).map((iri) => iri.replace(BASE, "~"));
}

export function namesOf(text: string): string[] {
  return text.split(",").filter(Boolean).map((name) => name.replace(/^~/, BASE));
}

export function tableRows(answer: Pick<Answer, "columns" | "results">): string[][] {
  return [answer.columns, ...answer.results.map((row) => answer.columns.map((name) => row[name]?.value ?? ""))];
}
