'use strict';
// The cells of the confusion matrix, by pointer and by the arrow keys.
(function () {
  const byId = (id) => document.getElementById(id);
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
      + found.toLocaleString('en').replaceAll(',', '\u202f')
      + (found === 1 ? ' pixel' : ' pixels') + share;
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
})();
