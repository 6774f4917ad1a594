// The script of pages that wait for something: it takes over what has changed, where the reader is.

/**
 * Asks for the page again every few seconds and puts what has changed in place, so that focus and place
 * are kept (WCAG 2.2, technique F41 forbids the browser's own refresh). Without it the page's link does.
 */
export const againScript = `
const wait = () => document.querySelector('[data-again]');
async function again() {
  try {
    const reply = await fetch(location.href, { headers: { Accept: 'text/html' } });
    if (reply.ok) {
      const fresh = new DOMParser().parseFromString(await reply.text(), 'text/html').getElementById('main');
      const main = document.getElementById('main');
      if (fresh && fresh.innerHTML !== main.innerHTML) main.replaceChildren(...fresh.childNodes);
    }
  } catch {}
  next();
}
function next() {
  const at = wait();
  if (at) setTimeout(again, 1000 * Number(at.dataset.again));
}
next();
`;
