// Draws a network: keys as squares, accounts as dots, a line where a key ties an account. Keys are laid out by their shared accounts, which are few;
// accounts are then set around their keys by arithmetic. So 2,000 accounts stand within a second, and each key's crowd is seen as one.
const accountGap = 13;
const fitZoomMax = 1.8;
const goldenAngle = Math.PI * (3 - Math.sqrt(5));
const verdicts = ['', 'allow', 'review', 'deny'];

let libraries;

const load = address => new Promise((done, failed) => {
  const script = document.createElement('script');
  script.src = address;
  script.onload = done;
  script.onerror = () => failed(new Error(`${address} could not be loaded`));
  document.head.append(script);
});

async function ready(scripts) {
  libraries ??= (async () => {
    for (const script of scripts) await load(script);
    window.cytoscape.use(window.cytoscapeFcose);
  })();
  await libraries;
}

// Colours are the theme's: the canvas knows no CSS variables.
function colours(element) {
  const style = getComputedStyle(element);
  const of = name => style.getPropertyValue(name).trim();
  return {
    allow: of('--mud-palette-success'),
    review: of('--mud-palette-warning'),
    deny: of('--mud-palette-error'),
    accent: of('--mud-palette-primary'),
    text: of('--mud-palette-text-primary'),
    soft: of('--mud-palette-text-secondary'),
    line: of('--mud-palette-lines-inputs'),
    surface: of('--mud-palette-surface'),
  };
}

function styles(element) {
  const c = colours(element);
  return [
    { selector: 'node', style: { 'background-color': c.soft, width: 9, height: 9, 'border-width': 0, 'min-zoomed-font-size': 7 } },
    { selector: 'node.allow', style: { 'background-color': c.allow } },
    { selector: 'node.review', style: { 'background-color': c.review } },
    { selector: 'node.deny', style: { 'background-color': c.deny } },
    { selector: 'node.bad', style: { shape: 'star', width: 14, height: 14 } },
    { selector: 'node.good', style: { shape: 'diamond', width: 13, height: 13 } },
    {
      selector: 'node.key',
      style: {
        shape: 'round-rectangle', width: 'data(size)', height: 'data(size)', 'background-color': c.surface, 'border-width': 2, 'border-color': c.text,
        label: 'data(label)', color: c.text, 'font-size': 11, 'text-valign': 'top', 'text-margin-y': -3, 'text-background-color': c.surface,
        'text-background-opacity': 0.85, 'text-background-padding': 2, 'z-index': 10, 'min-zoomed-font-size': 10,
      },
    },
    { selector: 'node.key.major', style: { 'font-size': 18, 'font-weight': 'bold', 'min-zoomed-font-size': 6, 'z-index': 20, width: 26, height: 26 } },
    { selector: 'node.key.exempt', style: { 'border-style': 'dashed', 'border-color': c.soft } },
    { selector: 'edge', style: { 'curve-style': 'haystack', width: 0.7, 'line-color': c.line, opacity: 0.45 } },
    { selector: 'edge.near', style: { width: 1.6, 'line-color': c.accent, opacity: 0.9 } },
    { selector: 'node:selected', style: { 'border-width': 3, 'border-color': c.accent, width: 13, height: 13 } },
    { selector: 'node.key:selected', style: { width: 'data(size)', height: 'data(size)' } },
    { selector: '.later', style: { display: 'none' } },
  ];
}

// Keys that share accounts stand near each other.
async function placeKeys(keys, members) {
  const shared = new Map();
  for (const member of members) {
    for (let i = 0; i < member.keys.length; i++) {
      for (let j = i + 1; j < member.keys.length; j++) {
        const [a, b] = member.keys[i] < member.keys[j] ? [member.keys[i], member.keys[j]] : [member.keys[j], member.keys[i]];
        const pair = a * keys.length + b;
        shared.set(pair, (shared.get(pair) ?? 0) + 1);
      }
    }
  }
  const radius = key => accountGap * Math.sqrt(Math.max(1, key.members)) * 0.62;
  const elements = keys.map((key, at) => ({ data: { id: `k${at}`, size: 2 * radius(key) + 20 } }));
  for (const [pair, count] of shared) {
    elements.push({ data: { source: `k${Math.floor(pair / keys.length)}`, target: `k${pair % keys.length}`, count } });
  }
  const small = window.cytoscape({ headless: true, styleEnabled: true, elements, style: [{ selector: 'node', style: { width: 'data(size)', height: 'data(size)' } }] });
  await new Promise(done => {
    const layout = small.layout({
      name: 'fcose', quality: keys.length > 250 ? 'draft' : 'default', animate: false, randomize: true, nodeRepulsion: 9000, nodeSeparation: 90,
      idealEdgeLength: edge => 40 + (edge.source().width() + edge.target().width()) / 2 / Math.sqrt(edge.data('count')), numIter: keys.length > 100 ? 500 : 1500,
    });
    layout.one('layoutstop', done);
    layout.run();
  });
  const places = keys.map((_, at) => small.getElementById(`k${at}`).position());
  small.destroy();
  return places.map(place => ({ ...place }));
}

// Accounts with the same keys are one crowd: a sunflower about the middle of their keys.
function placeMembers(members, keyPlaces) {
  const crowds = new Map();
  members.forEach((member, at) => {
    const name = [...member.keys].sort((a, b) => a - b).join();
    if (!crowds.has(name)) crowds.set(name, []);
    crowds.get(name).push(at);
  });
  const places = new Array(members.length);
  const taken = [];
  for (const [, crowd] of [...crowds].sort((a, b) => b[1].length - a[1].length)) {
    const keys = members[crowd[0]].keys;
    const radius = accountGap * Math.sqrt(crowd.length) * 0.62;
    const inner = keys.length === 1 ? 26 : 4;
    let x = 0;
    let y = 0;
    for (const key of keys) {
      x += keyPlaces[key].x / keys.length;
      y += keyPlaces[key].y / keys.length;
    }
    // Beside the crowds that stand there already.
    for (let turn = 1; turn < 80 && taken.some(other => Math.hypot(other.x - x, other.y - y) < other.radius + radius + 6); turn++) {
      x += Math.cos(turn * goldenAngle) * turn * 6;
      y += Math.sin(turn * goldenAngle) * turn * 6;
    }
    taken.push({ x, y, radius: radius + inner });
    crowd.forEach((at, place) => {
      const far = inner + accountGap * 0.62 * Math.sqrt(place + (crowd.length > 1 ? 0.5 : 0));
      places[at] = { x: x + far * Math.cos(place * goldenAngle), y: y + far * Math.sin(place * goldenAngle) };
    });
  }
  return places;
}

/** Draws and answers what the page calls. The graph: { members: [{ id, verdict, label, keys }], keys: [{ ref, kind, members, exempt }] }. */
export async function draw(element, graph, scripts, page) {
  performance.mark('network-start');
  await ready(scripts);
  const keyPlaces = await placeKeys(graph.keys, graph.members);
  const places = placeMembers(graph.members, keyPlaces);
  const elements = [];
  // From afar only the keys that hold most have names.
  const major = new Set(graph.keys.map((_, at) => at).sort((a, b) => graph.keys[b].members - graph.keys[a].members).slice(0, 12));
  graph.keys.forEach((key, at) => elements.push({
    data: { id: `k${at}`, label: `${key.kind} (${key.members})`, size: Math.min(34, 12 + 2 * Math.sqrt(key.members)) },
    classes: `key ${key.exempt ? 'exempt' : ''} ${major.has(at) ? 'major' : ''}`,
    position: keyPlaces[at],
  }));
  graph.members.forEach((member, at) => {
    elements.push({ data: { id: `m${at}` }, classes: `${verdicts[member.verdict]} ${member.label}`, position: places[at] });
    for (const key of member.keys) elements.push({ data: { source: `m${at}`, target: `k${key}` } });
  });
  const cy = window.cytoscape({
    container: element, elements, style: styles(element), layout: { name: 'preset' }, boxSelectionEnabled: true, selectionType: 'single',
    hideEdgesOnViewport: elements.length > 1500, textureOnViewport: elements.length > 1500, pixelRatio: elements.length > 1500 ? 1 : 'auto',
    minZoom: 0.03, maxZoom: 4,
  });
  // A small network is not blown up.
  const fit = () => {
    cy.fit(undefined, 24);
    if (cy.zoom() > fitZoomMax) cy.zoom({ level: fitZoomMax, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
    cy.center();
  };
  fit();

  const chosen = () => cy.nodes(':selected').not('.key').map(node => Number(node.id().slice(1)));
  let telling;
  const tell = () => {
    clearTimeout(telling);
    telling = setTimeout(() => page.invokeMethodAsync('Selected', chosen()), 60);
  };
  cy.on('select unselect', 'node', tell);
  // A key stands for its accounts.
  cy.on('tap', 'node.key', event => {
    cy.batch(() => {
      if (!event.originalEvent.shiftKey) cy.nodes(':selected').unselect();
      event.target.neighborhood('node').not('.later').select();
    });
  });
  cy.on('dbltap', 'node', event => {
    if (!event.target.hasClass('key')) page.invokeMethodAsync('Opened', Number(event.target.id().slice(1)));
  });
  cy.on('mouseover', 'node', event => event.target.connectedEdges().addClass('near'));
  cy.on('mouseout', 'node', event => event.target.connectedEdges().removeClass('near'));
  const recolour = () => setTimeout(() => cy.style(styles(element)), 50);
  document.addEventListener('signupguard-mode', recolour);
  const sized = new ResizeObserver(() => cy.resize());
  sized.observe(element);

  // The slider moves without the server; its label follows at once.
  const slider = document.getElementById('growth');
  const shown = document.getElementById('growth-shown');
  const times = graph.members.map(member => member.at);
  const grow = () => {
    const until = Number(slider.value);
    cy.batch(() => {
      const alive = new Array(graph.keys.length).fill(0);
      for (let at = 0; at < times.length; at++) {
        const later = at >= until;
        cy.getElementById(`m${at}`).toggleClass('later', later);
        if (!later) for (const key of graph.members[at].keys) alive[key]++;
      }
      alive.forEach((count, at) => cy.getElementById(`k${at}`).toggleClass('later', count === 0));
    });
    shown.textContent = until >= times.length ? `all ${times.length}` : `first ${until}, until ${times[Math.max(0, until - 1)]}`;
  };
  slider.addEventListener('input', grow);

  requestAnimationFrame(() => requestAnimationFrame(() => {
    performance.measure('network-drawn', 'network-start');
    element.dataset.drawn = Math.round(performance.getEntriesByName('network-drawn').pop().duration);
  }));

  return {
    select(indexes) {
      const wanted = new Set(indexes);
      cy.batch(() => cy.nodes().not('.key').forEach(node => {
        if (wanted.has(Number(node.id().slice(1)))) node.select();
        else node.unselect();
      }));
    },
    show(at) {
      const key = cy.getElementById(`k${at}`);
      cy.animate({ center: { eles: key }, zoom: Math.max(cy.zoom(), 0.8) }, { duration: 200 });
    },
    fit,
    place(at) {
      const node = cy.getElementById(`m${at}`).renderedPosition();
      const box = element.getBoundingClientRect();
      return { x: box.left + node.x, y: box.top + node.y };
    },
    end() {
      document.removeEventListener('signupguard-mode', recolour);
      sized.disconnect();
      cy.destroy();
    },
  };
}
