// A verification's result as named checks, so that a page can show each one.
export interface Check<Name extends string = string> {
  name: Name;
  result: 'pass' | 'fail' | 'skipped';
  detail: string;
}

/** Collects checks, after earlier ones; those never reached stand as skipped, in the order of the names. */
export function createChecks<Name extends string>(
  names: readonly Name[],
  earlier: readonly Check<Name>[] = [],
) {
  const done = new Map(earlier.map((check) => [check.name, check]));
  const add = (result: Check['result']) => (name: Name, detail: string) => {
    done.set(name, { name, result, detail });
  };
  return {
    pass: add('pass'),
    fail: add('fail'),
    skip: add('skipped'),
    hasFailed: (...among: Name[]) => among.some((name) => done.get(name)?.result === 'fail'),
    list: (): Check<Name>[] =>
      names.map(
        (name) =>
          done.get(name) ?? {
            name,
            result: 'skipped',
            detail: 'Not checked, because an earlier check failed.',
          },
      ),
  };
}
