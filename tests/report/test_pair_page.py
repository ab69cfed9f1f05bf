"""The page of two tests: its numbers, its pictures under the line, text as text, its size."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from contrast import contrasts
from made_folders import CLASSES, PALETTE, config, folder_of_a_test
from test_samples_page import Strict

from segplug.apis import compare
from segplug.apis.pair_reporting import report_pair
from segplug.report.pair_page import ClassRow, PairPage, PairShot, pair_page

EVIL = '<script>alert(1)</script>"\'&\x00\udcff'
ROW = ClassRow('road', 50., 51., 1., 0.5, 1.5, 0.01)


def comparison(**changes):
    whole = dict(a=50., b=51., difference=1., low=0.5, high=1.5, p_value=0.01)
    return dict(mIoU={**whole, **changes}, images=dict(better=1, worse=0, same=0, unscored=0),
                level=0.95, verdict='B is better.')


def page(**changes):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (40, 60, 3), np.uint8)
    label, a, b = rng.integers(0, 2, (3, 40, 60))
    given = dict(
        title='t', names=('x', 'y'), comparison=comparison(), rows=[ROW],
        scores={'Pixel accuracy': (90., math.nan)}, images=[('i.png', 50., 51.)],
        classes=('road', 'sky'), palette=PALETTE[:2],
        shots=[PairShot('i.png', (50., 51.), picture, label, a, b)])
    return PairPage(**{**given, **changes})


def test_it_parses_and_asks_no_other_computer():
    parsed = Strict(pair_page(page()))
    assert parsed.open == []
    assert len(parsed.of('img')) == 6
    assert all(image['src'].startswith('data:image/') for image in parsed.of('img'))
    assert parsed.of('link') == []


def test_text_is_shown_as_text():
    parsed = Strict(pair_page(page(
        title=EVIL, names=(EVIL, EVIL), comparison={**comparison(), 'verdict': EVIL},
        rows=[ClassRow(EVIL, 1., 2., 1., 0., 2., 0.5)], images=[(EVIL, 1., 2.)],
        classes=(EVIL, EVIL), shots=[PairShot(EVIL, (1., 2.), error=EVIL)], log_note=EVIL,
        more={EVIL: (1., 2.)}, more_classes={EVIL: [(1., 2.)] * 2},
        differences=[('~', EVIL, EVIL, EVIL)], facts=[(EVIL, (EVIL,), (EVIL,))], remarks=[EVIL])))
    assert len(parsed.of('script')) == 2, 'our own'
    assert sum('<script>alert(1)</script>' in text for text in parsed.text) >= 15


def test_what_both_interval_and_test_show_is_bold():
    """The first of them: the second's interval has 0 in it, the third's p is 0.06."""
    rows = [ROW, ClassRow('sky', 1., 2., 1., -0.1, 2., 0.01),
            ClassRow('car', 1., 2., 1., 0.1, 2., 0.06),
            ClassRow('sea', *[math.nan] * 6)]
    assert [row.is_shown(0.95) for row in rows] == [True, False, False, False]
    parsed = Strict(pair_page(page(rows=rows, classes=('road', 'sky', 'car', 'sea'),
                                   palette=[[0, 0, 0]] * 4)))
    assert [row.get('class') for row in parsed.of('tr')].count('sure') == 1


def test_scores_that_are_not_defined_are_dashes():
    nan = math.nan
    text = pair_page(page(
        comparison=comparison(a=nan, b=nan, difference=nan, low=nan, high=nan, p_value=nan),
        rows=[ClassRow('road', *[nan] * 6)], images=[('i', nan, nan)], shots=[]))
    assert 'nan' not in text.replace('isNaN', '').replace('data-value="nan"', '')


def test_images_stand_by_how_much_they_changed():
    nan = math.nan
    text = pair_page(page(images=[('same', 50., 50.), ('none', 5., nan), ('new', nan, 5.),
                                  ('first', nan, 9.), ('worse', 9., 5.), ('better', 5., 8.)]))
    table = text[text.index('id="image-table"'):]
    places = [table.index(f'>{name}<') for name in ('worse', 'better', 'same', 'first', 'new',
                                                    'none')]
    assert places == sorted(places)


def test_a_name_in_the_table_leads_to_its_picture():
    shots = [PairShot(name, (1., 2.), error='gone') for name in ('b', 'a')]
    text = pair_page(page(shots=shots, images=[(name, 1., 2.) for name in 'abc']))
    links = re.findall(r'<a href="#(shot-[^"]+)">(.)</a>', text)
    figures = re.findall(r'<figure class="shot" id="([^"]+)">.*?<figcaption><b>(.)</b>', text, re.S)
    assert sorted(links) == sorted(figures) == [('shot-1', 'b'), ('shot-2', 'a')]


def test_the_size_is_kept():
    """48 noisy pictures in six layers each, 300 classes, 5000 images."""
    rng = np.random.default_rng(0)
    shots = [PairShot(f'{i}.png', (1., 2.), rng.integers(0, 256, (300, 400, 3), np.uint8),
                      *rng.integers(0, 300, (3, 300, 400))) for i in range(4)] * 12
    big = page(shots=shots, images=[(f'town/image_{i}.png', 50., 51.) for i in range(5000)],
               rows=[ROW] * 300, classes=[f'class {i}' for i in range(300)],
               palette=rng.integers(0, 256, (300, 3)).tolist())
    text = pair_page(big, max_bytes=2_500_000)
    assert 1_000_000 < len(text.encode()) <= 2_500_000
    assert text.count('<img') == 6 * 48
    assert pair_page(big, max_bytes=1_000).count('has no room for its pictures') == 48


def test_the_size_is_kept_with_long_names():
    """A name is said six times for each picture, and each of its '<' is four bytes."""
    shot = page().shots[0]
    shots = [replace(shot, name=f'{i}' + '<' * 250) for i in range(4)]
    for limit in (60_000, 85_000, 110_000):
        assert len(pair_page(page(shots=shots), max_bytes=limit).encode()) <= limit


def test_what_is_not_known_is_said():
    text = pair_page(page(config_note='The config of B is not known.', log_note='No logs.'))
    assert 'The config of B is not known.' in text
    assert 'No logs.' in text
    assert 'every value is the same' in pair_page(page(differences=[]))


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """Two tests, the second with other weights of the loss and fewer errors."""
    root = tmp_path_factory.mktemp('pair')
    changed = {**config(root, palette=PALETTE, img_suffix='.png'), 'model': dict(
        data_preprocessor=dict(bgr_to_rgb=True), decode_head=dict(channels=8))}
    a = folder_of_a_test(root, 'a', boundary=True)
    return a, folder_of_a_test(root, 'b', wrong=0.02, config=changed, boundary=True)


def test_in_a_browser(made, show):
    """The numbers are those of `compare`; the line moves; both predictions can be chosen."""
    found = compare(*made)
    opened = show(report_pair(*made, num=2).path, reduced_motion='reduce')

    def exact(place):
        return [float(one.get_attribute('data-value')) for one in opened.locator(place).all()]

    whole = found['mIoU']
    assert exact('#scores .leads [data-value]') == [whole[key] for key in (
        'a', 'b', 'difference', 'low', 'high', 'p_value')]
    assert exact('#class-table tbody [data-value]') == [
        pair['difference'] for pair in found['IoU'].values()]
    assert opened.locator('#verdict').text_content() == found['verdict']
    frame, line = opened.locator('.frame').first, opened.locator('.slide input').first

    def visible():
        return [name for name in ('image', 'a', 'b', 'label', 'errors-a', 'errors-b')
                if frame.locator(f'.{name}').is_visible()]

    assert visible() == ['image', 'a', 'b']
    line.fill('70')
    assert frame.locator('.a').evaluate('one => getComputedStyle(one).clipPath') == \
        'inset(0px 30% 0px 0px)'
    assert line.get_attribute('aria-valuetext') == \
        '70 percent: prediction A left, prediction B right'
    opened.locator('input[name=left][value=errors-a]').check()
    opened.locator('input[name=right][value=label]').check()
    assert visible() == ['image', 'label', 'errors-a']
    opened.locator('#filter').fill('street_3')
    assert opened.locator('#found').text_content() == '1 of 6 images'
    assert opened.evaluate('document.documentElement.scrollWidth') <= 1280


def test_the_other_scores_of_both(made, show):
    a, b = ({**json.loads((folder / 'metrics.json').read_text()),
             **json.loads((folder / 'boundary_metrics.json').read_text())} for folder in made)
    opened = show(report_pair(*made, num=0).path)
    tile = opened.locator('.tile').filter(has_text='Mean Boundary IoU')
    assert tile.locator('.sub').inner_text() == f'{a["mBIoU"]:.2f} in A, {b["mBIoU"]:.2f} in B'
    opened.get_by_text('All other scores').click()
    whole, classes = opened.locator('#more table').all()
    names = whole.locator('tbody th').all_inner_texts()
    assert names == ['FWIoU', 'mDice', 'mPrecision', 'mRecall']
    assert [float(one.get_attribute('data-value')) for one in
            whole.locator('tbody [data-value]').all()] == [b[key] - a[key] for key in names]
    scores = classes.locator('thead th').all_inner_texts()[1:]
    assert scores == ['Acc', 'Dice', 'Fscore', 'Precision', 'Recall', 'BIoU']
    assert classes.locator('tbody td').all_inner_texts() == [
        f'{b[f"{key}.{name}"] - a[f"{key}.{name}"]:+.2f}' for name in CLASSES for key in scores]


def test_on_paper_the_six_pictures_stand_close(made, show):
    """Three beside each other and three below them, with the two pixels of a gap; and the contrast
    of every text."""
    opened = show(report_pair(*made, num=2).path)
    assert [(ratio, html) for ratio, html in contrasts(opened) if ratio < 4.5] == []
    opened.emulate_media(media='print')
    boxes = [opened.locator(f'.frame >> nth=0 >> .{name}').bounding_box()
             for name in ('image', 'a', 'b', 'label', 'errors-a', 'errors-b')]
    assert len({box['y'] for box in boxes[:3]}) == len({box['y'] for box in boxes[3:]}) == 1
    assert boxes[3]['y'] - boxes[0]['y'] - boxes[0]['height'] == pytest.approx(2, abs=0.1)
    assert boxes[0]['width'] / boxes[0]['height'] == pytest.approx(40 / 24, abs=0.05)


def test_on_a_phone_in_the_dark(made, show):
    opened = show(report_pair(*made).path, width=360, color_scheme='dark')
    assert opened.evaluate('document.documentElement.scrollWidth') == 360
