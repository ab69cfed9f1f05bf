"""The figure of curves: colours, dashes, gaps, axes."""

from matplotlib.figure import Figure

from segplug.apis.curve_files import figure
from segplug.report.charts import Series
from segplug.report.charts.svg import LIGHT
from segplug.report.curves import Panel

NAN = float('nan')


def test_lines_of_a_figure():
    """The ninth colour is the first, dashed; what is faint has no legend; 0 has no logarithm."""
    drawn = figure([
        Panel('loss', (Series('', [1, 2], [4, 5], 8, faint=True),
                       Series('$a_', [1, 2], [0, 5], 8))),
        Panel('mIoU', (Series('', [1], [NAN]),))], True, 'of $two', Figure)
    loss, score = drawn.axes
    faint, line = loss.lines
    assert [one.get_color() for one in (faint, line, score.lines[0])] == [LIGHT[0]] * 3
    assert (faint.get_alpha(), faint.get_marker(), line.get_linestyle(), line.get_marker()) == (
        0.3, 'None', '--', 'o')
    assert str(line.get_ydata()) == '[nan  5.]'
    assert (loss.get_yscale(), loss.get_ylabel(), score.get_ylabel()) == ('log', 'loss', 'mIoU')
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ['\\$a_']
    assert score.get_legend() is None
    drawn.canvas.draw()


def test_many_points_have_no_dots():
    few, many = (figure([Panel('k', (Series('n', range(n), range(n)),))], False, '', Figure)
                 for n in (40, 41))
    assert few.axes[0].lines[0].get_marker() == 'o'
    assert many.axes[0].lines[0].get_marker() == 'None'
