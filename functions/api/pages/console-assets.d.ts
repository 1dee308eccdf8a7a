declare module '*.html' {
  const text: string;
  export default text;
}

/** A script or style sheet for browsers, bundled with its imports, as text: see `infra/synth/bundle.ts`. */
declare module '*?bundled' {
  const text: string;
  export default text;
}

/** The default export of a module, as JSON text: see `infra/synth/json-text.ts`. */
declare module '*?json' {
  const text: string;
  export default text;
}
