'use strict';
// Sorting of tables of class "sortable", and the filter of #image-table.
(function () {
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
  const filter = document.getElementById('filter');
  if (!filter) return;
  const rows = Array.from(document.getElementById('image-table').tBodies[0].rows);
  function narrow() {
    const word = filter.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = word !== '' && !row.textContent.toLowerCase().includes(word);
      count += !row.hidden;
    }
    document.getElementById('found').textContent = word ? count + ' of ' + rows.length + ' images' : '';
  }
  filter.addEventListener('input', narrow);
})();
