/** The REST interface: JSON in, problem documents out as errors, and the way to the login page. */

const BASE = "/api/v1";
const REQUEST_MS_MAX = 20_000; // an answer later than this is no longer what the operator asked for

/** An answer that is not a success; `status` 0 is a server that did not answer. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{title?: string, detail?: string, code?: string, errors?: object[]}} problem
   */
  constructor(status, problem) {
    super(problem.detail || problem.title || `the server answered ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
    this.errors = problem.errors ?? [];
  }
}

/**
 * The count of now in a refusal of an act by filter because it differs; null in any other.
 * @param {any} failure
 * @returns {number|null}
 */
export function countNow(failure) {
  const differs = failure.status === 409 && failure.errors?.find(({ field }) => field === "expect_count");
  const now = differs ? Number(differs.bound) : NaN;
  return Number.isFinite(now) ? now : null;
}

/** Called when the server wants a login; set by the router. */
let onUnauthorised = () => {};
export function whenUnauthorised(callback) {
  onUnauthorised = callback;
}

/**
 * Ask for JSON.
 * @param {string} path below /api/v1
 * @param {{method?: string, body?: object, signal?: AbortSignal}} [options]
 * @returns {Promise<any>} null for an empty answer
 * @throws {ApiError}
 */
export async function request(path, { method = "GET", body, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-Roost-CSRF"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const limits = [AbortSignal.timeout(REQUEST_MS_MAX), ...(signal ? [signal] : [])];
  let response;
  try {
    response = await fetch(BASE + path, {
      method, headers, body: body && JSON.stringify(body), signal: AbortSignal.any(limits),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, { title: "the server does not answer" });
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401 && path !== "/session") onUnauthorised();
  throw new ApiError(response.status, problem);
}

/** @param {Record<string, string|number|undefined|null>} values @returns {string} with its "?" */
export function queryString(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null
    && value !== "");
  const text = new URLSearchParams(given.map(([k, v]) => [k, String(v)])).toString();
  return text && `?${text}`;
}
