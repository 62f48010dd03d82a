import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { get, questions } from "../../api.ts";
import { EntityField, Show, useLoaded } from "../pieces.tsx";
import { go, to } from "../route.ts";
import { PathForm } from "./connect.tsx";

interface Release {
  release: string;
  counts: Record<string, number>;
}

const SHOWN_COUNTS: readonly (readonly [string, string])[] = [
  ["entities", "things"],
  ["links", "links"],
  ["triples", "triples"],
];

export function Home(): JSX.Element {
  const release = useLoaded(() => get<Release>("/api/release"), []);
  const listed = useLoaded(questions, []);
  useEffect(() => void (document.title = "Policy evidence"), []);
  return (
    <div class="home">
      <section class="hero">
        <h1>What do policy reports say, and who says so?</h1>
        <p class="lead">
          Barriers, messages and recommendations from reports, each with who states it and the passage it rests on.
        </p>
        <form
          class="big-search"
          role="search"
          onSubmit={(event) => {
            event.preventDefault();
            const words = new FormData(event.currentTarget).get("q");
            if (typeof words === "string" && words.trim()) go(to("search", { q: words }));
          }}
        >
          <EntityField
            label="Find a body, report, theme, barrier or recommendation"
            name="q"
            value=""
            placeholder="money, COSLA, leadership …"
            choose={(text, entity) => entity && go(to("entity", { entity: text }))}
          />
          <button type="submit" class="primary">
            Search
          </button>
        </form>
        <Show of={release}>
          {({ counts }) => (
            <dl class="counts">
              {SHOWN_COUNTS.map(([key, name]) => (
                <div key={key}>
                  <dt>{name}</dt>
                  <dd>{(counts[key] ?? 0).toLocaleString("en-GB")}</dd>
                </div>
              ))}
            </dl>
          )}
        </Show>
      </section>
      <section class="card">
        <h2>Connect two things</h2>
        <p class="quiet">How do they hang together, hop by hop, and who stands behind each hop?</p>
        <PathForm from="" to="" hops="6" />
      </section>
      <section class="card ways">
        <h2>See the whole</h2>
        <ul class="tiles">
          <li>
            <a href={to("gaps")}>
              <strong>Gaps</strong>
              <span>Barriers by theme: which have an answer, which have none?</span>
            </a>
          </li>
          <li>
            <a href={to("compare")}>
              <strong>Compare</strong>
              <span>What each document says on a theme, and where it is silent</span>
            </a>
          </li>
          <li>
            <a href={to("timeline")}>
              <strong>Timeline</strong>
              <span>What was said when, and what followed</span>
            </a>
          </li>
          <li>
            <a href={to("whatif")}>
              <strong>What if</strong>
              <span>What would change if a barrier fell or a recommendation were carried out?</span>
            </a>
          </li>
          <li>
            <a href="/sparql">
              <strong>SPARQL</strong>
              <span>Ask anything; see the answer as table, graph or chart</span>
            </a>
          </li>
        </ul>
      </section>
      <section class="card">
        <h2>Questions</h2>
        <Show of={listed}>
          {(found) => (
            <ul class="questions">
              {found.map((question) => (
                <li key={question.name}>
                  <a href={to("question", { name: question.name })}>{question.summary ?? question.name}</a>
                </li>
              ))}
            </ul>
          )}
        </Show>
      </section>
    </div>
  );
}
