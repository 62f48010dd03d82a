// Where things stand, computed off the main thread. Positions go back as they improve.

import { arranged, type LayoutRequest } from "./arrange.ts";

interface Scope {
  onmessage: ((event: MessageEvent<LayoutRequest>) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

const scope = self as unknown as Scope;
let latest = 0;

scope.onmessage = ({ data }) => {
  latest = data.number;
  const steps = arranged(data);
  const advance = (): void => {
    // A newer request has come in between; this one is of no use any more.
    if (data.number !== latest) return;
    const next = steps.next();
    const at = next.value;
    scope.postMessage({ number: data.number, at, done: next.done === true }, [at.buffer]);
    if (!next.done) setTimeout(advance);
  };
  advance();
};
