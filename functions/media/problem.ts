/** What is wrong with a file: a stable code, and a sentence that says how to mend it. */
export type Problem = { code: string; message: string };
