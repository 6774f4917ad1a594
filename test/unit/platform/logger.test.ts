import { expect, test } from 'vitest';
import { AppError, createLogger } from '../../../platform/index.ts';

const someone = '99010119900101123X';

function open(level = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ level, destination: { write: (line) => lines.push(line) } });
  const read = () => lines.map((line): object => JSON.parse(line));
  return { logger, lines, read };
}

test('a line is JSON with level, time and message, and ends with a newline', () => {
  const { logger, lines, read } = open();
  logger.info({ licence: 'L-1' }, 'Issued.');
  expect(read()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      licence: 'L-1',
      msg: 'Issued.',
    },
  ]);
  expect(lines[0]?.endsWith('}\n')).toBe(true);
});

test('lines below the level are not written', () => {
  const { logger, read } = open('warn');
  logger.info('quiet');
  logger.warn('heard');
  expect(read()).toMatchObject([{ msg: 'heard' }]);
});

test('the lines of a request carry its id', () => {
  const { logger, read } = open();
  logger.child({ requestId: 'r-1' }).info('Asked.');
  expect(read()).toMatchObject([{ requestId: 'r-1', msg: 'Asked.' }]);
});

test('a citizen ID leaves in no form, and the line stays JSON', () => {
  const cases: [object, string][] = [
    [{ id: someone }, 'in a field'],
    [{ deep: [{ note: `for ${someone.toLowerCase()}, urgent` }] }, 'deep in a text'],
    [{ [someone]: 1 }, 'as a name'],
    [{ url: `/x?q=%22${someone}%22` }, 'after an escape'],
    [{ n: 990101199001011200 }, 'as a number'],
    [{ err: new Error(`no ${someone}`, { cause: new TypeError(someone) }) }, 'in an error'],
    [{}, `in the message: ${someone}`],
    [{ text: `"${someone}"\n${someone}` }, 'between quotes and lines'],
  ];
  for (const [fields, message] of cases) {
    const { logger, lines, read } = open();
    logger.info(fields, message);
    expect(lines.join(), message).not.toMatch(/990101199001011/i);
    expect(read(), message).toMatchObject([{ level: 'info' }]);
    expect(lines.join(), message).toContain('[citizen ID]');
  }
});

test('what only resembles a citizen ID stays', () => {
  const innocent = {
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    uuid: '0192c1f0-1234-7abc-8def-0123456789ab',
    uscc: '11990100MB0304321X',
    licence: '1.2.156.3005.2.11100000000013127D001.11990100MB0304321X.202600000017.001.A',
    milliseconds: 1795476954636,
    monthThirteen: '990101199013011234',
  };
  const { logger, read } = open();
  logger.info(innocent, 'ok');
  expect(read()).toMatchObject([innocent]);
});

test('secrets are blotted out, at the top and one level down', () => {
  for (const name of [
    'authorization',
    'cookie',
    'set-cookie',
    'dpop',
    'password',
    'pin',
    'token',
    'access_token',
    'client_assertion',
    'private_jwk',
    'secret',
  ]) {
    const { logger, lines, read } = open();
    logger.info({ [name]: 'hush', headers: { [name]: 'hush' } }, 'seen');
    expect(lines.join(), name).not.toContain('hush');
    expect(read(), name).toMatchObject([{ [name]: '[secret]', headers: { [name]: '[secret]' } }]);
  }
});

test('an error shows type, code, words, place and causes; the data it met stays out', () => {
  const query = Object.assign(
    new Error('Failed query: insert into people values ($1)\nparams: 张三,secret'),
    { query: 'insert', params: ['张三'] },
  );
  query.cause = Object.assign(
    new Error('invalid input syntax for type date: "张三, born yesterday"'),
    { code: '22007', detail: 'Failing row contains (张三).', where: '张三' },
  );
  let parseError: unknown;
  try {
    JSON.parse('{"name":张三}');
  } catch (error) {
    parseError = error;
  }
  const { logger, lines, read } = open();
  logger.error({ err: query }, 'one');
  logger.error({ error: parseError }, 'two');
  logger.error({ err: new AppError('gone', 'registry.gone', 'It is gone.') }, 'three');
  logger.error({ err: '张三' }, 'four');
  expect(lines.join()).not.toContain('张三');
  expect(read()).toMatchObject([
    {
      err: {
        type: 'Error',
        message: 'Failed query: insert into people values ($1)',
        stack: expect.stringContaining('logger.test.ts'),
        cause: { message: 'invalid input syntax for type date', code: '22007' },
      },
    },
    { error: { type: 'SyntaxError', message: 'The text could not be parsed.' } },
    { err: { type: 'AppError', code: 'registry.gone', message: 'registry.gone: It is gone.' } },
    { err: { type: 'string', message: 'Not an Error was thrown.' } },
  ]);
});

test('an error whose causes go in a circle is reported all the same', () => {
  const error = new Error('round');
  error.cause = error;
  const { logger, read } = open();
  logger.error({ err: error }, 'once');
  expect(read()).toMatchObject([{ err: { message: 'round', cause: { message: 'round' } } }]);
});
