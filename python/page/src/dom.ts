// Elements of the page. Text is only ever set as text.

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element as T;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { text, ...properties }: Partial<Omit<HTMLElementTagNameMap[K], "style">> & { text?: string } = {},
  ...children: (HTMLElement | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...(text === undefined ? [] : [text]), ...children);
  return element;
}

/** A button that looks like a link. */
export function link(label: string | HTMLElement, title: string, click: () => void): HTMLButtonElement {
  const button = make("button", { type: "button", className: "link", title }, label);
  button.addEventListener("click", click);
  return button;
}
