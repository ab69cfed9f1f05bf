"""The doctor's report as text for a terminal."""

from collections.abc import Sequence

from ..datasets.diagnosis.finding import SEVERITIES
from ..datasets.diagnosis.tally import FORMULAS
from .examining import Report

_MAX_ROWS = 60  # classes in the table; of more, the rarest


def text(report: Report) -> str:
    """Classes, proposed weights, findings, and a last line that sums up."""
    blocks = [_table(report), _weights(report), *map(str, report.findings), _summary(report)]
    return '\n\n'.join(block for block in blocks if block)


def _table(report: Report) -> str:
    """A row per class: share of the labelled pixels and number of labels, of each part."""
    pairs = [(p, t) for p, t in zip(report.parts, report.tallies, strict=True)
             if p.num_classes and t.raw]
    if not pairs:
        return ''
    first, sums = pairs[0]
    rows = [('class', *(p.name for p, _ in pairs))]
    order = list(first.ids)
    if len(order) > _MAX_ROWS:
        order = sorted(order, key=lambda k: (sums.pixels[k], k))[:_MAX_ROWS]
    for k in order:
        rows.append((f'{k} {first.class_name(k)}', *(_cell(t, k) for _, t in pairs)))
    rows.append(('ignored', *(f'{100 * t.ignored / max(t.num_pixels, 1):.2f} %' for _, t in pairs)))
    rows.append(('labels', *(str(len(p.good_labels)) for p, _ in pairs)))
    lines = columns(rows)
    if len(order) < len(first.ids):
        lines.append(f'(the {len(order)} rarest of {len(first.ids)} classes; all are in --json)')
    return '\n'.join(lines)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table: the first column from the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ['  '.join([row[0].ljust(widths[0]), *(
        cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]).rstrip()
        for row in rows]


def _cell(found, k: int) -> str:
    if k >= len(found.pixels):
        return ''
    share = 100 * found.pixels[k] / max(found.num_labelled, 1)
    return f'{share:.3f} % in {found.images[k]}'


def _weights(report: Report) -> str:
    if not report.weights or len(next(iter(report.weights.values()))) > _MAX_ROWS:
        return ''
    lines = ['class weights, should you want them: in model.decode_head.loss_decode, one of']
    for name, values in report.weights.items():
        lines += [f'  class_weight={values}', f'    ({FORMULAS[name]})']
    return '\n'.join(lines)


def _summary(report: Report) -> str:
    counts = [sum(f.severity == severity for f in report.findings) for severity in SEVERITIES]
    words = [f'{n} {severity}{"s" * (n > 1)}' for n, severity in
             zip(counts, SEVERITIES, strict=True) if n]
    samples = sum(len(part.infos) for part in report.parts)
    return (f'{report.config}: {", ".join(words) or "nothing found"} in {samples} samples, '
            f'{report.seconds:.1f} s')
