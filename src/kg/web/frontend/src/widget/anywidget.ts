// What a notebook's model is to a widget, as far as it is used here.

export interface AnyModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: "msg:custom", heard: (content: unknown) => void): void;
  off(event: "msg:custom", heard: (content: unknown) => void): void;
}
