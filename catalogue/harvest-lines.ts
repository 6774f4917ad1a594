// A harvest's report as the lines and the exit code of the harvest command (contract section 1).

import type { HarvestReport } from './harvest.ts';
import type { RecordError } from './harvest-plan.ts';

/** One line per bad record, then what was held, then the counts. */
export function harvestLines(report: HarvestReport): string[] {
  const { added, changed, unchanged, deleted, duplicates, errors, notices, held } = report;
  const lines = [...errors, ...notices].map(errorLine);
  if (held) {
    const share = Math.round((held.vanishing / held.stored) * 100);
    lines.push(
      `held: ${held.vanishing} of ${held.stored} records (${share} %) would vanish, so nothing was applied; look at the source, then run again with --allow-deletes`,
    );
  }
  lines.push(
    `added ${added}, changed ${changed}, unchanged ${unchanged}, deleted ${deleted}, duplicates ${duplicates}, errors ${errors.length}`,
  );
  return lines;
}

/** 0 when something was taken or all was unchanged, 1 when nothing could be, 3 when held. */
export function harvestExitCode(report: HarvestReport): 0 | 1 | 3 {
  if (report.held) return 3;
  const { added, changed, unchanged, deleted } = report;
  return added + changed + unchanged + deleted > 0 ? 0 : 1;
}

function errorLine({ position, id, faults }: RecordError): string {
  const what = faults.map(({ field, why }) => `${oneLine(field)}: ${oneLine(why)}`).join('; ');
  if (position === 0) return what;
  const known = id === '' ? '' : ` (${oneLine(id).slice(0, 100)})`;
  return `record ${position}${known}: ${what}`;
}

/** Sources' words can't break the line or move the cursor. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
}
