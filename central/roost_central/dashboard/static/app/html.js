/**
 * Preact and htm as one import. Text goes to the page as text nodes only: nothing here or in the
 * pages sets markup from a string, so a hostile name stays a name.
 */
import { h, render } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export const html = htm.bind(h);
export { render };
export {
  useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState,
} from "../vendor/preact-hooks.js";
