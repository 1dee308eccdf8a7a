/** @throws Error when the page has no such element of this type: page and script are built together */
export function find<Found extends Element>(root: ParentNode, selector: string, type: new () => Found): Found {
  const element = root.querySelector(selector);
  if (element instanceof type) return element;
  throw new Error(`The page has no ${type.name} ${selector}.`);
}

/** Sets the text of an element, or hides the element when there is none. */
export function setText(element: HTMLElement, text: string | undefined): void {
  element.textContent = text ?? '';
  element.hidden = !text;
}

/** Calls back once, when an element has become visible. */
export function onceVisible(element: Element, callback: () => void): void {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    callback();
  });
  observer.observe(element);
}
