/** An AWS service refuses a call: `name` is the error's code on the wire. */
export class ServiceError extends Error {
  readonly status: number;

  constructor(name: string, status: number, message: string) {
    super(message);
    this.name = name;
    this.status = status;
  }
}
