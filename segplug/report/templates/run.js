'use strict';
// Sorting and filtering of tables, the cells of the confusion matrix, the line in the pictures.
(function () {
  const byId = (id) => document.getElementById(id);

  // --- tables
  function valueOf(row, column, kind) {
    const cell = row.cells[column];
    if (kind === 'text') return cell.textContent.trim().toLowerCase();
    const exact = cell.querySelector('[data-value]');
    return parseFloat(exact ? exact.dataset.value : cell.textContent);
  }
  function sort(table, header) {
    const column = header.cellIndex;
    const kind = header.querySelector('button').dataset.kind;
    const turn = header.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [valueOf(row, column, kind), row]);
    rows.sort(function ([a], [b]) {
      if (kind === 'text') return turn * a.localeCompare(b, undefined, {numeric: true});
      if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b); // no score comes last, either way
      return turn * (a - b);
    });
    body.append(...rows.map(([, row]) => row));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
    header.setAttribute('aria-sort', turn > 0 ? 'ascending' : 'descending');
  }
  for (const table of document.querySelectorAll('table.sortable')) {
    for (const header of table.tHead.rows[0].cells) {
      const button = header.querySelector('button');
      if (button) button.addEventListener('click', () => sort(table, header));
    }
  }
  const filter = byId('filter');
  const rows = Array.from(byId('image-table').tBodies[0].rows);
  function narrow() {
    const word = filter.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = word !== '' && !row.textContent.toLowerCase().includes(word);
      count += !row.hidden;
    }
    byId('found').textContent = word ? count + ' of ' + rows.length + ' images' : '';
  }
  filter.addEventListener('input', narrow);

  // --- the confusion matrix
  const {names, rows: sparse} = JSON.parse(byId('counts').textContent);
  const matrix = byId('matrix');
  const cells = matrix.querySelector('svg g[transform^="translate"]');
  let at = null;
  let cursor = null;
  function count(t, p) {
    const row = sparse[t];
    for (let i = 0; i < row.length; i += 2) if (row[i] === p) return row[i + 1];
    return 0;
  }
  function show(t, p) {
    at = [t, p];
    if (!cursor) {
      cursor = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
      cursor.setAttribute('class', 'cursor');
      cursor.setAttribute('width', 1);
      cursor.setAttribute('height', 1);
      cells.append(cursor);
    }
    cursor.setAttribute('x', p);
    cursor.setAttribute('y', t);
    const found = count(t, p);
    let total = 0;
    for (let i = 1; i < sparse[t].length; i += 2) total += sparse[t][i];
    const share = total ? ', ' + (100 * found / total).toFixed(2) + ' % of ' + names[t] : '';
    byId('cell').textContent = names[t] + ' taken for ' + names[p] + ': '
      + found.toLocaleString('en').replaceAll(',', '\u202f') + ' pixels' + share;
  }
  matrix.addEventListener('pointermove', function (event) {
    const point = new DOMPoint(event.clientX, event.clientY)
      .matrixTransform(cells.getScreenCTM().inverse());
    const t = Math.floor(point.y);
    const p = Math.floor(point.x);
    if (t >= 0 && p >= 0 && t < names.length && p < names.length) show(t, p);
  });
  matrix.addEventListener('focus', function () { if (!at) show(0, 0); });
  const moves = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
  matrix.addEventListener('keydown', function (event) {
    const last = names.length - 1;
    const fits = (v) => Math.min(Math.max(v, 0), last);
    const [t, p] = at || [0, 0];
    if (event.key in moves) show(fits(t + moves[event.key][0]), fits(p + moves[event.key][1]));
    else if (event.key === 'Home') show(t, 0);
    else if (event.key === 'End') show(t, last);
    else return;
    event.preventDefault();
  });

  // --- pictures
  const pictures = byId('pictures');
  if (!pictures) return;
  const words = {image: 'image', label: 'label', prediction: 'prediction', errors: 'errors'};
  function cut(input) {
    const frame = input.closest('.shot').querySelector('.frame');
    frame.style.setProperty('--cut', input.value + '%');
    input.setAttribute('aria-valuetext', input.value + ' percent: '
      + words[pictures.dataset.left] + ' left, ' + words[pictures.dataset.right] + ' right');
  }
  const sliders = pictures.querySelectorAll('.slide input');
  for (const input of sliders) {
    input.addEventListener('input', () => cut(input));
    const frame = input.closest('.shot').querySelector('.frame');
    const drag = function (event) {
      if (event.type === 'pointermove' && !event.buttons) return;
      const box = frame.getBoundingClientRect();
      input.value = Math.round(100 * (event.clientX - box.left) / box.width);
      cut(input);
    };
    frame.addEventListener('pointerdown', drag);
    frame.addEventListener('pointermove', drag);
    frame.addEventListener('dragstart', (event) => event.preventDefault());
    cut(input);
  }
  for (const side of ['left', 'right']) {
    for (const choice of pictures.querySelectorAll('input[name="' + side + '"]')) {
      choice.addEventListener('change', function () {
        pictures.dataset[side] = choice.value;
        sliders.forEach(cut);
      });
    }
  }
  byId('strength').addEventListener('input', function (event) {
    pictures.style.setProperty('--strength', event.target.value / 100);
  });
})();
