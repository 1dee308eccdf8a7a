/** An error response of an AWS service. `name` is the error code. */
export class ServiceError extends Error {
  readonly status: number;

  constructor(name: string, status: number, message: string) {
    super(message);
    this.name = name;
    this.status = status;
  }
}
