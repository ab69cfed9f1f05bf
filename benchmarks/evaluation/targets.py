"""What the evaluation must reach, and whether the rows of a run show it."""

from common import figure

from .networks import ALMOST_FREE

# stage, scheme, baseline, at least
RATIOS = (('post-process + score', 'SS', 'mmseg', 8), ('post-process + score', 'MS', 'mmseg', 10),
          ('read', 'MS', 'mmseg', 4), ('total', 'MS', 'mmseg', 10), ('total', 'MS', 'naive', 20),
          ('confusion matrix', None, 'mmseg', 20))
PEAK_MB, PEAK_SPREAD = 400, 5  # at most; percent


def rows(found: list[dict]) -> list[dict]:
    """A row for each target and number of threads that ``found`` speaks of."""
    targets = []
    for stage, scheme, against, least in RATIOS:
        for one in found:
            if (one.get('stage'), one.get('scheme'), one.get('against')) == (
                    stage, scheme, against) and one.get('network', ALMOST_FREE) == ALMOST_FREE:
                targets.append(_target(f'{one["case"]}, at least', one['ratio'], least, 'x',
                                       one['ratio'] >= least))
    peaks = [one['ours'] for one in found if one.get('stage') == 'peak memory']
    if peaks:
        spread = 100 * (max(peaks) / min(peaks) - 1)
        targets.append(_target('peak memory over the network: at most', max(peaks), PEAK_MB, 'MB',
                               max(peaks) <= PEAK_MB))
        targets.append(_target('peak memory, most over least: at most', spread, PEAK_SPREAD, '%',
                               spread <= PEAK_SPREAD))
    return targets


def report(targets: list[dict]) -> str:
    lines = ['', 'Targets:']
    for one in targets:
        verdict = 'reached' if one['reached'] else 'MISSED'
        lines.append(f'  {one["case"].removeprefix("target: "):<96} {one["target"]:>5} '
                     f'{one["unit"]:<2}  {one["ours"]:>8.2f}  {verdict}')
    return '\n'.join(lines)


def _target(case: str, value: float, target: float, unit: str, reached: bool) -> dict:
    return figure(f'target: {case}', value, unit, target=target, reached=reached)
