import type { JSX } from "preact";
import { get } from "../api.ts";
import { Show, useLoaded } from "./pieces.tsx";
import { pinnedRelease } from "./route.ts";

/** Which release everything on the page comes from. */
export function ReleaseNote(): JSX.Element {
  const found = useLoaded(
    () => get<{ release: string; built: string | null; counts: Record<string, number> }>("/api/release"),
    [pinnedRelease()],
  );
  return (
    <footer class="release-note">
      <Show of={found}>
        {({ release, built, counts }) => (
          <p>
            Release <code title={release}>{release.slice(0, 12)}</code>
            {pinnedRelease() ? " (an earlier one may be shown; the address names it)" : ""}:{" "}
            {(counts["triples"] ?? 0).toLocaleString("en-GB")} triples
            {built ? `, built ${built.slice(0, 10)}` : ""} · <a href="/static/app/LICENSES.txt">Licences</a>
          </p>
        )}
      </Show>
    </footer>
  );
}
