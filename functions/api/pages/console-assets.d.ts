declare module '*.html' {
  const text: string;
  export default text;
}

/** A script or a style sheet for browsers, as text, with all that it imports: see `infra/synth/bundle.ts`. */
declare module '*?bundled' {
  const text: string;
  export default text;
}

/** What a module exports by default, as the text of its JSON: see `infra/synth/json-text.ts`. */
declare module '*?json' {
  const text: string;
  export default text;
}
