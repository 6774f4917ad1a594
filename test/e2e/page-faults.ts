// What is wrong with a page as it stands, whoever reads it: what axe finds, what runs over the edge of a
// small phone, headings out of order.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';

/** WCAG 2.2, 1.4.10: nothing scrolls sideways at 320 px. */
const narrowest = 320;

/** One line for each fault; the page keeps the size it had. */
export async function faultsOf(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const faults = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  const levels = await page
    .locator('h1, h2, h3, h4')
    .evaluateAll((headings) => headings.map(({ tagName }) => Number(tagName.slice(1))));
  const isInOrder = levels.every((level, at) => level <= (levels[at - 1] ?? 0) + 1);
  if (!isInOrder) faults.push(`headings skip a level: ${levels}`);
  const size = page.viewportSize();
  await page.setViewportSize({ width: narrowest, height: 740 });
  const overflow = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  if (overflow !== 0) faults.push(`overflows ${narrowest} px by ${overflow}`);
  if (size) await page.setViewportSize(size);
  return faults;
}
