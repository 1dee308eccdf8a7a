declare module '*.html' {
  const text: string;
  export default text;
}

/** A script or a style sheet for browsers, as text, with all that it imports: see `infra/bundle.ts`. */
declare module '*?bundled' {
  const text: string;
  export default text;
}
