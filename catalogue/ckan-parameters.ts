// Parameters of CKAN actions as they come: strings from a query, JSON values from a POST, lists from
// repeated keys. Faults are gathered under their keys, as CKAN's validation errors are told.
import type { FieldError } from '../platform/index.ts';
import { catalogueErrors } from './errors.ts';
import { isRecord } from './source-record.ts';

/** What a client sends to an action. */
export type ActionInput = Readonly<Record<string, unknown>>;

/** Reads parameters; `check` refuses them all at once. */
export class CkanParameters {
  readonly #input: ActionInput;
  readonly #faults: FieldError[] = [];

  constructor(input: ActionInput) {
    this.#input = input;
  }

  /** The text under `key`; '' when absent. Of a repeated key the first counts. */
  text(key: string): string {
    const value = this.#value(key);
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (first === undefined || first === null) return '';
    if (typeof first === 'object') return this.#fault(key, 'Must be a string', '');
    return String(first).trim();
  }

  /** The text that must be there. */
  required(key: string, alias?: string): string {
    const text = this.text(key) || (alias === undefined ? '' : this.text(alias));
    return text === '' ? this.#fault(key, 'Missing value', '') : text;
  }

  /** A whole number ≥ 0; larger than `max` is taken as `max`. */
  natural(key: string, otherwise: number, max: number): number {
    const text = this.text(key);
    if (text === '') return otherwise;
    if (!/^[+-]?\d+$/.test(text)) return this.#fault(key, 'Invalid integer', otherwise);
    if (text.startsWith('-')) return this.#fault(key, 'Must be a natural number', otherwise);
    return Math.min(Number(text), max);
  }

  /** A whole number; below zero means no limit where CKAN says so. */
  integer(key: string, otherwise: number): number {
    const text = this.text(key);
    if (text === '') return otherwise;
    if (!/^[+-]?\d+$/.test(text)) return this.#fault(key, 'Invalid integer', otherwise);
    return Number(text);
  }

  flag(key: string, otherwise: boolean): boolean {
    const text = this.text(key).toLowerCase();
    return text === '' ? otherwise : ['true', 'yes', 't', 'y', '1', 'on'].includes(text);
  }

  /** Texts: a list, a JSON list, or words parted by commas where `isCommaSeparated`. */
  texts(key: string, parting: 'json' | 'commas' = 'json'): string[] {
    const value = this.#value(key);
    if (value === undefined || value === null || value === '') return [];
    const items = Array.isArray(value) ? value : this.#listIn(key, String(value), parting);
    const texts: string[] = [];
    for (const item of items) {
      if (typeof item === 'object') return this.#fault(key, 'Must be a list of strings', []);
      texts.push(String(item).trim());
    }
    return texts.filter((text) => text !== '');
  }

  /** A JSON value, sent as such or as text; undefined when absent. */
  json(key: string): unknown {
    const value = this.#value(key);
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value);
    } catch {
      return this.#fault(key, 'Cannot parse JSON', undefined);
    }
  }

  /** A JSON object, sent as such or as text, else the text itself. */
  objectOrText(key: string): Record<string, unknown> | string {
    const value = this.#value(key);
    if (isRecord(value)) return value;
    const text = this.text(key);
    if (!text.startsWith('{')) return text;
    try {
      const parsed: unknown = JSON.parse(text);
      return isRecord(parsed) ? parsed : text;
    } catch {
      return text;
    }
  }

  fault(key: string, detail: string): void {
    this.#faults.push({ pointer: `/${key}`, detail });
  }

  /** Refuses when anything was wrong. */
  check(): void {
    if (this.#faults.length === 0) return;
    throw catalogueErrors.parameters_invalid('Some parameters are not acceptable.', {
      fields: this.#faults,
    });
  }

  #listIn(key: string, text: string, parting: 'json' | 'commas'): unknown[] {
    if (!text.trimStart().startsWith('[')) return parting === 'commas' ? text.split(',') : [text];
    const parsed = this.json(key);
    return Array.isArray(parsed) ? parsed : [];
  }

  #value(key: string): unknown {
    return Object.hasOwn(this.#input, key) ? this.#input[key] : undefined;
  }

  #fault<T>(key: string, detail: string, instead: T): T {
    this.fault(key, detail);
    return instead;
  }
}
