// What pages need of the browser besides drawing: keys, the chosen colours, focus, saving a file.
const themeKey = 'signupguard-dark';
const chordMs = 1200;
let receiver;
let chord = 0;

const inField = target => target.closest('input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable=true], [role=dialog]') !== null;

document.addEventListener('keydown', event => {
  if (!receiver || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (inField(event.target) || document.querySelector('[role=dialog]')) return;
  // Enter and Space belong to whatever has the focus.
  const onControl = event.target.closest('a, button, input, summary') !== null;
  if (event.key === ' ' || (event.key === 'Enter' && onControl)) return;
  if (event.key === '/') {
    const filter = document.querySelector('[data-filter]');
    if (filter) {
      event.preventDefault();
      filter.focus();
      filter.select?.();
    }
    return;
  }
  if (event.key.length > 1 && event.key !== 'Enter' && event.key !== 'Escape') return;
  if (event.key === 'g') {
    chord = performance.now();
    return;
  }
  const key = performance.now() - chord < chordMs ? `g ${event.key}` : event.key;
  chord = 0;
  receiver.invokeMethodAsync('Pressed', key);
});

export function listen(reference) { receiver = reference; }

export function dark() {
  const kept = localStorage.getItem(themeKey);
  const value = kept === null ? matchMedia('(prefers-color-scheme: dark)').matches : kept === '1';
  mark(value);
  return value;
}

export function keepDark(value) {
  localStorage.setItem(themeKey, value ? '1' : '0');
  mark(value);
}

function mark(value) {
  document.documentElement.dataset.mode = value ? 'dark' : 'light';
  document.dispatchEvent(new CustomEvent('signupguard-mode'));
}

export function focus(id) { document.getElementById(id)?.focus(); }

export function show(id) { document.getElementById(id)?.scrollIntoView({ block: 'nearest' }); }

export async function save(name, stream) {
  const address = URL.createObjectURL(new Blob([await stream.arrayBuffer()]));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
