// C2SP signed-note, tlog-tiles and tlog-proof: the examples of the specifications.
import { describe, expect, test } from 'vitest';
import { formatVkey, openNote, parseVkey } from '../../audit/signed-note.ts';
import { isTile, parseTilePath, tilePath, widthInTree } from '../../audit/tiles.ts';
import { formatTlogProof, parseTlogProof } from '../../audit/tlog-proof.ts';
import vectors from './c2sp.json' with { type: 'json' };

describe('signed-note', () => {
  const { vkey, note } = vectors.signedNote;

  test('the example key and note hold', () => {
    const verifier = parseVkey(vkey);
    expect(formatVkey(verifier.name, verifier.publicKey)).toBe(vkey);
    expect(openNote(note, [verifier])).toEqual({
      text: 'This is an example message.\n',
      signedBy: ['example.com/foo'],
    });
  });

  test('a changed text, signature or key id is refused', () => {
    const spoilt = [
      note.replace('example message', 'other message'),
      note.replace('yaQM=', 'yaQQ='),
      note.replace('Uw2QOkn8', 'Ua2QOkn8'),
      note.slice(0, -1),
      note.replace('\n\n', '\n'),
      note.replace('an example', 'an\u0001example'),
      `${note}not a signature line\n`,
    ];
    for (const each of spoilt) {
      expect(() => openNote(each, [parseVkey(vkey)])).toThrow(
        expect.objectContaining({ code: 'audit.note_invalid' }),
      );
    }
  });

  test('lines of unknown keys are passed over, sixteen of them too', () => {
    const stranger = '— example.net/other Uw2QOkn8srV1yJGh\n';
    expect(openNote(note + stranger.repeat(16), [parseVkey(vkey)]).signedBy).toEqual([
      'example.com/foo',
    ]);
    expect(() => openNote(note, [])).toThrow(
      expect.objectContaining({ code: 'audit.note_invalid' }),
    );
  });

  test('keys with another id, type, length or form are refused', () => {
    const spoilt = [
      vkey.replace('530d903a', '530d903b'),
      vkey.replace('+AekyeR', '+BOkyeR'),
      vkey.slice(0, -4),
      vkey.replace('foo', 'f+oo'),
      '',
    ];
    for (const each of spoilt) {
      expect(() => parseVkey(each)).toThrow(
        expect.objectContaining({ code: 'audit.note_invalid' }),
      );
    }
  });
});

describe('tlog-tiles', () => {
  for (const { tile, path } of vectors.tilePaths) {
    test(`${path} is a path and the only one of its tile`, () => {
      expect(tilePath(tile)).toBe(path);
      expect(parseTilePath(path)).toEqual(tile);
    });
  }

  test('other texts name no tile', () => {
    const texts = ['0/0', '0/x000/001', '0/001/067', '00/000', '7/000', '0/000.p/0', '0/000.p/256'];
    for (const text of [...texts, '0/000.p/007', '0/000.p/300', '', '0', 'x/000', '0/000/']) {
      expect(parseTilePath(text)).toBeUndefined();
    }
  });

  test('widths in a tree of 70,000 leaves', () => {
    const { size, tiles } = vectors.tileWidths;
    for (const { level, n, width } of tiles) expect(widthInTree(level, n, size)).toBe(width);
    expect(isTile({ level: 0, n: 0, width: 0 })).toBe(false);
  });
});

describe('tlog-proof', () => {
  const { hashes, checkpoint, text } = vectors.tlogProof;
  const proof = {
    index: 73894,
    hashes: hashes.map((each) => Buffer.from(each, 'base64')),
    checkpoint,
    extra: Buffer.from('extra'),
  };

  test('a proof has one text', () => {
    expect(formatTlogProof(proof)).toBe(text);
    expect(parseTlogProof(text)).toEqual(proof);
    const first = { index: 0, hashes: [], checkpoint };
    expect(formatTlogProof(first)).toBe(`c2sp.org/tlog-proof@v1\nindex 0\n\n${checkpoint}`);
    expect(parseTlogProof(formatTlogProof(first))).toEqual(first);
  });

  test('anything else is refused', () => {
    const spoilt = [
      text.replace('@v1', '@v2'),
      text.replace('index 73894', 'index 073894'),
      text.replace('index 73894', 'index -1'),
      text.replace('index 73894\n', ''),
      text.replace('ZXh0cmE=', 'ZXh0cmF='),
      text.replace('TcdPlQ=', 'TcdPlR='),
      text.replace('TcdPlQ=', 'TcdPlQ'),
      text.replace('\n\n', '\n'),
      '',
    ];
    for (const each of spoilt) {
      expect(() => parseTlogProof(each)).toThrow(
        expect.objectContaining({ code: 'audit.proof_invalid' }),
      );
    }
  });
});
