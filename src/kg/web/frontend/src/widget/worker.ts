// A worker from text, where no file can be asked for.

import type { MakeWorker } from "../graph/layout.ts";

export function textWorker(source: string): MakeWorker {
  return () => {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    return worker;
  };
}
