/**
 * The element that a selector names.
 * @throws Error when the page has none of this type: page and script belong to one another
 */
export function find<Found extends Element>(root: ParentNode, selector: string, type: new () => Found): Found {
  const element = root.querySelector(selector);
  if (element instanceof type) return element;
  throw new Error(`The page has no ${type.name} ${selector}.`);
}

/** Shows a text, or hides its element where there is none. */
export function say(element: HTMLElement, text: string | undefined): void {
  element.textContent = text ?? '';
  element.hidden = !text;
}

/** Calls back once, when an element has come into view. */
export function whenInView(element: Element, callback: () => void): void {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    callback();
  });
  observer.observe(element);
}
