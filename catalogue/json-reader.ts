// Reads the members of a JSON object by kind, and gathers what is wrong under JSON pointers (RFC 6901).
import { type Fault, isRecord, kindOf, withoutBlank } from './source-record.ts';

/** Values of one object; `null` counts as absent, as publishers write it. */
export class JsonReader {
  readonly faults: Fault[];
  readonly #value: Record<string, unknown>;
  readonly #pointer: string;

  constructor(value: Record<string, unknown>, pointer: string, faults: Fault[]) {
    this.#value = value;
    this.#pointer = pointer;
    this.faults = faults;
  }

  /** The text at `key`; '' when absent or null. Numbers and objects in its place are faults. */
  text(key: string, maxLength = 10_000): string {
    const value = this.#value[key];
    if (value === undefined || value === null) return '';
    if (typeof value !== 'string') return this.#fault(key, `is ${kindOf(value)}, not text`, '');
    if (value.length > maxLength) {
      return this.#fault(key, `has ${value.length} characters, at most ${maxLength}`, '');
    }
    return withoutBlank(value);
  }

  required(key: string, maxLength?: number): string {
    const before = this.faults.length;
    const text = this.text(key, maxLength);
    return text === '' && this.faults.length === before ? this.#fault(key, 'is missing', '') : text;
  }

  texts(key: string): string[] {
    const value = this.#value[key];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) return this.#fault(key, `is ${kindOf(value)}, not a list`, []);
    const items: unknown[] = value;
    const texts: string[] = [];
    items.forEach((item, at) => {
      if (typeof item === 'string') texts.push(item.trim());
      else if (item !== null)
        this.#fault(`${key}/${at}`, `is ${kindOf(item)}, not text`, undefined);
    });
    return texts.filter((text) => text !== '');
  }

  object(key: string): JsonReader | null {
    const value = this.#value[key];
    if (value === undefined || value === null) return null;
    if (!isRecord(value)) return this.#fault(key, `is ${kindOf(value)}, not an object`, null);
    return new JsonReader(value, `${this.#pointer}/${key}`, this.faults);
  }

  objects(key: string): JsonReader[] {
    const value = this.#value[key];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) return this.#fault(key, `is ${kindOf(value)}, not a list`, []);
    const items: unknown[] = value;
    return items.flatMap((item, at) => {
      if (isRecord(item))
        return [new JsonReader(item, `${this.#pointer}/${key}/${at}`, this.faults)];
      return item === null
        ? []
        : this.#fault(`${key}/${at}`, `is ${kindOf(item)}, not an object`, []);
    });
  }

  /** Any value as text, for the extras. */
  kept(key: string): [string, string][] {
    const value = this.#value[key];
    if (value === undefined || value === null || value === '') return [];
    return [[key, typeof value === 'string' ? value : JSON.stringify(value)]];
  }

  fault(key: string, why: string): void {
    this.#fault(key, why, undefined);
  }

  #fault<T>(key: string, why: string, instead: T): T {
    this.faults.push({ field: `${this.#pointer}/${key}`, why });
    return instead;
  }
}
