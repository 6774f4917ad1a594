// The script of the passkey pages.

/**
 * Has the browser make or use a passkey by the options in the form, puts its answer into the form and
 * sends it. Served as a file of its own; the page says what is needed where it can't run.
 */
export const passkeyScript = `
const form = document.querySelector('form[data-passkey]');
const fault = document.getElementById('passkey-fault');
const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const listed = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

async function ask() {
  const options = JSON.parse(form.dataset.options);
  options.challenge = bytes(options.challenge);
  if (form.dataset.passkey === 'get') {
    options.allowCredentials = listed(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  }
  options.user.id = bytes(options.user.id);
  options.excludeCredentials = listed(options.excludeCredentials);
  return navigator.credentials.create({ publicKey: options });
}

function written({ id, type, response }) {
  const answer = { clientDataJSON: text(response.clientDataJSON) };
  for (const name of ['attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (response[name]) answer[name] = text(response[name]);
  }
  return JSON.stringify({ id, rawId: id, type, response: answer });
}

async function run() {
  fault.hidden = true;
  try {
    form.elements.response.value = written(await ask());
    form.submit();
  } catch {
    fault.hidden = false;
  }
}

if (form && window.PublicKeyCredential) {
  form.addEventListener('submit', (event) => { event.preventDefault(); run(); });
  if (form.dataset.passkey === 'get') run();
} else if (fault) fault.hidden = false;
`.trim();
